"""Sets of classes as numbers: masks whose classes overlap are maps of numbers like all others."""

from __future__ import annotations

import threading

import numpy as np

from results.masks.counts import VOID
from results.masks.planes import Pixels
from results.masks.rle import Bools
from spaces.errors import InputError


class ClassSets:
    """Numbers of sets of classes, as they are met; that of the empty set is 0.

    A map of them is resized, cut and moved like a map of classes. Several threads may use it.

    Attributes:
        known: Classes, by number of the set.
    """

    def __init__(self) -> None:
        self.known: list[frozenset[int]] = [frozenset()]
        self._lock = threading.Lock()

    def add(self, numbers: Pixels, inside: Bools, member: int) -> None:
        """Makes pixels belong to one more class, in place.

        Args:
            numbers: uint8 (height, width), of sets.
            inside: bool (height, width), pixels of the class.
            member: The class.

        Raises:
            InputError: If there are more sets than numbers.
        """
        found = numbers[inside]
        larger = np.zeros(VOID + 1, np.uint8)
        for number in np.flatnonzero(np.bincount(found)).tolist():
            larger[number] = self._number(self.known[number] | {member})
        numbers[inside] = larger[found]

    def _number(self, classes: frozenset[int]) -> int:
        with self._lock:
            if classes not in self.known:
                if len(self.known) == VOID:
                    raise InputError(
                        f"more than {VOID} different sets of classes share pixels; masks of so "
                        "many are not trained"
                    )
                self.known.append(classes)
            return self.known.index(classes)
