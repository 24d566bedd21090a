"""Masks whose classes overlap as samples: a class at a pixel is there or not.

An example is told among all classes, and among all classes not being there, of which only the two
of its class are possible: of class ``c`` column ``2 c`` is that it is there, ``2 c + 1`` that it is
not. So what is made for classes that exclude each other does for these.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from results.masks.counts import VOID
from results.masks.merging import paired
from results.masks.pixels import sampled
from results.masks.planes import Planes
from results.masks.truth import Truth
from results.metrics import Ints

EXAMPLES = 1024
"""Most that stand for an image, all classes together."""


def grid_of(classes: int) -> int:
    """Pixels a side that stand for an image."""
    return max(1, math.isqrt(EXAMPLES // classes))


def probabilities(masks: Planes, classes: int) -> NDArray[np.float32]:
    """Of every class at every sampled pixel, float32 (n x pixels x classes, 2 x classes)."""
    grid = grid_of(classes)
    found = [sampled(mask, grid).astype(np.float32) / np.float32(255) for mask in masks]
    shares = np.concatenate(found) if found else np.zeros((0, classes), np.float32)
    return paired(shares).reshape(-1, 2 * classes)


def labels_of(truth: Truth) -> tuple[Ints, NDArray[np.bool_]]:
    """Which of the two is true of every example of images, int64 (m,), and whether it is known."""
    classes = len(truth.classes)
    grid, each = grid_of(classes), np.arange(classes)
    planes = [sampled(truth.actual(row), grid) for row in range(len(truth.images))]
    actual = np.concatenate(planes)
    return (2 * each + (actual != 1)).astype(np.int64).ravel(), (actual != VOID).ravel()
