"""Masks as samples of pixels: what is made for classes of images does for classes of pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from results.masks.counts import VOID
from results.masks.planes import Pixels, Planes
from results.masks.truth import Truth
from results.metrics import Floats, Ints, Metric, mean_of_classes, of_sums, share

GRID = 16
"""Pixels a side that stand for an image: those in the middle of as many cells."""


def sampled(mask: Pixels, grid: int = GRID) -> Pixels:
    """The pixels that stand for an image, uint8 (``grid`` ** 2, …)."""
    rows, columns = (
        ((np.arange(grid) + 0.5) * side / grid).astype(np.int64) for side in mask.shape[:2]
    )
    found = mask[rows[:, None], columns].reshape(grid**2, *mask.shape[2:])
    return np.asarray(found, np.uint8)


def probabilities(masks: Planes) -> NDArray[np.float32]:
    """Probabilities of classes of the sampled pixels, float32 (n x `GRID` ** 2, classes)."""
    found = np.concatenate([sampled(mask) for mask in masks]).astype(np.float32)
    total = found.sum(axis=1, keepdims=True)
    return np.asarray(found / np.where(total > 0, total, 1), np.float32)


def classes_of(truth: Truth) -> tuple[Ints, NDArray[np.bool_]]:
    """True classes of the sampled pixels of images, int64 (m,), and which of them are known."""
    labels = np.concatenate([sampled(mask) for mask in truth.masks])
    return labels.astype(np.int64), labels != VOID


def pixel_metric(metric: Metric, classes: int, kept: Sequence[int]) -> Metric:
    """What stands for a metric of masks where there are classes and probabilities of pixels.

    Intersection over union, or Dice, of all pixels together; the share of right pixels for
    ``pixel_accuracy``.

    Args:
        metric: One of masks.
        classes: Number of classes.
        kept: Those that are scored by themselves.
    """
    size = len(kept)

    def statistics(labels: Ints, found: Floats) -> Floats:
        one = np.eye(classes)
        actual, told = (one[told][:, list(kept)] for told in (labels, found.argmax(axis=1)))
        return np.concatenate([actual * told, actual, told], axis=1)

    def reduce(sums: Floats) -> Floats:
        both, actual, told = sums[..., :size], sums[..., size : 2 * size], sums[..., 2 * size :]
        if metric.name.startswith("dice"):
            return mean_of_classes(share(2 * both, actual + told))
        return mean_of_classes(share(both, actual + told - both))

    if metric.name == "pixel_accuracy":
        return of_sums(metric.name, _hits, lambda sums: share(sums[..., 0], sums[..., 1]))
    return of_sums(metric.name, statistics, reduce)


def _hits(labels: Ints, found: Floats) -> Floats:
    right = found.argmax(axis=1) == labels
    return np.stack([right, np.ones(len(labels))], axis=1).astype(np.float64)
