"""Several models' predictions of the same images, or pixels, as one; an export carries this file.

So it imports nothing of this project.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

Merge = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""From probabilities (models, m, classes) to merged ones (m, classes)."""

AT_ONCE = 1 << 18
"""Pixels times classes that are merged together where classes overlap."""


def even_mean(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of all models, as the recipe of blends, to the last bit.

    Args:
        block: Probabilities (models, m, classes).

    Returns:
        float32 (m, classes), rows summing to 1.
    """
    merged, share = np.zeros(block.shape[1:], np.float32), np.float32(1 / len(block))
    for one in block:
        merged += share * one
    merged /= merged.sum(axis=1, keepdims=True)
    return merged


def merged_pixels(block: Pixels, merge: Merge, overlapping: bool) -> Pixels:
    """Several models' predictions of an image's pixels as one.

    Args:
        block: Probabilities in 255ths, uint8 (models, height, width, classes).
        merge: Of probabilities of classes that exclude one another.
        overlapping: Whether a pixel can be of several classes: each is then merged by itself, as
            one of the two that are possible.

    Returns:
        uint8 (height, width, classes).
    """
    models, height, width, classes = block.shape
    shares = block.reshape(models, -1, classes).astype(np.float32) / np.float32(255)
    found = _each(shares, merge) if overlapping else merge(shares)
    return np.rint(found * 255).astype(np.uint8).reshape(height, width, classes)


def _each(shares: NDArray[np.float32], merge: Merge) -> NDArray[np.float32]:
    """Every class's own share of what is merged of the two that are possible."""
    _, count, classes = shares.shape
    found = np.empty((count, classes), np.float32)
    each, step = np.arange(classes), AT_ONCE // classes
    for first in range(0, count, step):
        block = paired(shares[:, first : first + step])
        merged = merge(block.reshape(len(block), -1, 2 * classes))
        both = merged.reshape(-1, classes, classes, 2)[:, each, each]
        found[first : first + step] = both[..., 0] / both.sum(axis=2)
    return found


def paired(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """From probabilities of classes (…, classes) to (…, classes, 2 x classes): of each class that
    it is there, and that it is not."""
    classes = shares.shape[-1]
    found = np.zeros((*shares.shape, classes, 2), np.float32)
    each = np.arange(classes)
    found[..., each, each, 0], found[..., each, each, 1] = shares, 1 - shares
    return found.reshape(*shares.shape, 2 * classes)
