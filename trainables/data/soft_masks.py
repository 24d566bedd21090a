"""Masks that say how likely classes are: behind the plane of numbers lies one of each class.

Geometry moves all planes alike, so that they stay what is said of the same pixel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from results.masks.counts import VOID
from results.masks.planes import Pixels

FULL = 255
"""A probability of 1."""


def soft_mask(numbers: Pixels, shares: Pixels) -> Pixels:
    """Puts planes together, uint8 (height, width, 1 + classes).

    Args:
        numbers: uint8 (height, width), as in other masks; only which are `VOID` is of concern.
        shares: Probabilities in 255ths, uint8 (height, width, classes).
    """
    return np.concatenate([numbers[..., None], shares], axis=2)


@dataclass(frozen=True, kw_only=True, eq=False)
class CertainMasks:
    """Masks of labelled images in the same form: their classes are certain.

    Attributes:
        members: Whether pixels of a number are of a class, bool (numbers, classes).
        corrected: From a row and its mask to the mask that is learned; None for that as it is.
    """

    members: NDArray[np.bool_]
    corrected: Callable[[int, Pixels], Pixels] | None

    def __call__(self, row: int, mask: Pixels) -> Pixels:
        """The mask of a row of the store, uint8 (height, width, 1 + classes)."""
        numbers = mask if self.corrected is None else self.corrected(row, mask)
        shares = np.zeros((VOID + 1, self.members.shape[1]), np.uint8)
        shares[: len(self.members)] = FULL * self.members.astype(np.uint8)
        return soft_mask(numbers, shares[numbers])
