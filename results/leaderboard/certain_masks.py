"""Masks that were handed in, read back as certain probabilities."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from results.masks.planes import Pixels
from results.masks.postprocess import Form
from results.masks.rle import Bools
from spaces.errors import InputError

CERTAIN = 255
"""A probability of 1."""

Claim = tuple[int, Bools, str]
"""Index of a class, what of an image belongs to it, and where that stands, for messages."""


def certain(claims: Iterable[Claim], size: tuple[int, int], form: Form, image: str) -> Pixels:
    """The mask of an image.

    Args:
        claims: What belongs to which class.
        size: Height and width in pixels.
        form: What a mask is here.
        image: With the file that it is read from, for messages.

    Returns:
        uint8 (height, width, classes), of 0 and `CERTAIN`.

    Raises:
        InputError: Where classes exclude each other, for pixels of two of them, or of none.
    """
    mask = np.zeros((*size, form.classes), np.uint8)
    for index, inside, place in claims:
        others = np.delete(mask[inside], index, axis=1)
        if others.any() and not form.overlapping:
            raise InputError(f"{place}: its pixels belong to another class, too")
        mask[inside, index] = CERTAIN
    nobodys = ~mask.any(axis=2)
    if form.background is not None:
        mask[nobodys, form.background] = CERTAIN
    elif nobodys.any() and not form.overlapping:
        raise InputError(f"{image}: {nobodys.sum():,} pixels have no class")
    return mask
