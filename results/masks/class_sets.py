"""Sets of classes as numbers: masks whose classes overlap are maps of numbers like all others."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from results.masks.counts import VOID
from results.masks.planes import Pixels
from results.masks.rle import Bools
from spaces.errors import InputError


class ClassSets:
    """Numbers of sets of classes, as they are met; that of the empty set is 0.

    A map of them is resized, cut and moved like a map of classes. Several threads may use it.

    Args:
        known: Sets that have numbers already, by their number.

    Attributes:
        known: Classes, by number of the set.
    """

    def __init__(self, known: Iterable[Iterable[int]] = ((),)) -> None:
        self.known = [frozenset(classes) for classes in known]
        self._lock = threading.Lock()

    def add(self, numbers: Pixels, inside: Bools, member: int) -> None:
        """Makes pixels belong to one more class, in place; arguments are those of `change`."""
        self.change(numbers, inside, member, there=True)

    def change(self, numbers: Pixels, inside: Bools, member: int, *, there: bool) -> None:
        """Makes pixels belong to a class, or not to belong to it, in place; void stays void.

        Args:
            numbers: uint8 (height, width), of sets, or `VOID`.
            inside: bool (height, width), which pixels.
            member: The class.
            there: Whether they belong to it.

        Raises:
            InputError: If there are more sets than numbers.
        """
        found, one = numbers[inside], frozenset({member})
        changed = np.full(VOID + 1, VOID, np.uint8)
        for number in np.flatnonzero(np.bincount(found)[:VOID]).tolist():
            classes = self.known[number]
            changed[number] = self._number(classes | one if there else classes - one)
        numbers[inside] = changed[found]

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


def answers_of(classes: Sequence[str], *, overlapping: bool) -> tuple[str, ...]:
    """What can be the case at a pixel: the classes; or, where they overlap, of each that it is
    there, and that it is not."""
    if not overlapping:
        return tuple(classes)
    return tuple(answer for name in classes for answer in (name, f"not {name}"))


def numbers_of(there: NDArray[np.bool_], members: NDArray[np.bool_]) -> Pixels:
    """Numbers of sets of classes.

    Args:
        there: bool (…, classes), whether a class is in the set.
        members: bool (numbers, classes), the sets that have a number.

    Returns:
        uint8 (…,), `VOID` for a set without one.
    """
    found, known = np.zeros(there.shape[:-1], np.intp), [b""]
    for c in range(there.shape[-1]):  # the first classes of a set, then one more
        longer = sorted({row[: c + 1].tobytes() for row in members})
        following = np.full((len(known) + 1, 2), len(longer))
        for number, classes in enumerate(longer):
            following[known.index(classes[:-1]), classes[-1]] = number
        found, known = following[found, there[..., c].astype(np.intp)], longer
    numbers = [known.index(row.tobytes()) for row in members]
    lookup = np.full(len(known) + 1, VOID, np.uint8)
    lookup[numbers] = np.arange(len(members))
    return np.asarray(lookup[found], np.uint8)
