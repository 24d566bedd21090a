"""Metrics of masks: sums of counts over images, and what a table of classes says of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from results.masks.counts import Counts
from results.metrics import Floats, Ints, Metric, mean_of_classes, of_sums, share

Score = Callable[[Counts], Floats]
"""From counts (…, classes) to a score of each class (…, classes), NaN where it is not there."""


def iou(counts: Counts) -> Floats:
    """Intersection over union."""
    return share(counts.intersection, counts.actual + counts.predicted - counts.intersection)


def iou_void(counts: Counts) -> Floats:
    """The same where whatever is predicted on void pixels is wrong."""
    union = counts.actual + counts.predicted + counts.over_void - counts.intersection
    return share(counts.intersection, union)


def dice(counts: Counts) -> Floats:
    """Twice the intersection over the sum of both: F1 of pixels."""
    return share(2 * counts.intersection, counts.actual + counts.predicted)


def dice_void(counts: Counts) -> Floats:
    """The same where whatever is predicted on void pixels is wrong."""
    return share(2 * counts.intersection, counts.actual + counts.predicted + counts.over_void)


def boundary_f1(counts: Counts) -> Floats:
    """Harmonic mean of the shares of predicted and of actual boundaries that are near the other."""
    precision = share(counts.predicted_near, counts.predicted_edge)
    recall = share(counts.actual_near, counts.actual_edge)
    missing = np.isnan(precision) & np.isnan(recall)
    precision, recall = np.nan_to_num(precision), np.nan_to_num(recall)
    both = precision + recall
    return np.where(missing, np.nan, 2 * precision * recall / np.where(both > 0, both, 1))


def _pooled(name: str, score: Score) -> Metric:
    """The mean over classes of a score of all images' counts together."""

    def reduce(sums: Floats) -> Floats:
        return mean_of_classes(score(Counts.of(sums)))

    return of_sums(name, _counts, reduce)


def _by_image(name: str, score: Score) -> Metric:
    """The mean over images of each one's mean over the classes that are in truth or prediction.

    An image without any class, neither actually nor predicted, scores 1, as in contests. One that
    is void altogether is left out.
    """

    def statistics(labels: Ints, vectors: Floats) -> Floats:
        counts = Counts.of(_counts(labels, vectors))
        scores, known = mean_of_classes(score(counts)), counts.pixels > 0
        scores = np.where(np.isnan(scores), 1.0, scores)
        return np.stack([scores * known, known], axis=1)

    return of_sums(name, statistics, lambda sums: share(sums[..., 0], sums[..., 1]))


def _counts(labels: Ints, vectors: Floats) -> Floats:
    """The counts are the statistics."""
    return np.asarray(vectors, np.float64)


MASK_METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        _pooled("mean_iou", iou),
        _pooled("mean_iou_void", iou_void),
        _by_image("mean_iou_images", iou),
        _by_image("mean_iou_void_images", iou_void),
        _pooled("dice", dice),
        _pooled("dice_void", dice_void),
        _by_image("dice_images", dice),
        _by_image("dice_void_images", dice_void),
        _pooled("boundary_f1", boundary_f1),
        of_sums(
            "pixel_accuracy",
            lambda labels, vectors: _counts(labels, vectors)[:, :2],
            lambda sums: share(sums[..., 0], sums[..., 1]),
        ),
    )
}
"""By name; what they take as predictions are vectors of `results.masks.counts.compare` (n, k), and
labels are not looked at."""

NEED_EDGES = frozenset({"boundary_f1"})
"""Metrics for which boundaries have to be compared."""


@dataclass(frozen=True, kw_only=True)
class ClassTable:
    """Scores of the judged classes, float64 (classes,) each; NaN where a class is not there.

    Attributes:
        iou: Intersection over union.
        dice: F1 of pixels.
        boundary_f1: F1 of boundaries.
        precision: Share of the pixels predicted as a class that are of it.
        recall: Share of a class's pixels that are predicted as it.
        pixels: Pixels of a class, which may be fractions where images are weighted.
    """

    iou: NDArray[np.float64]
    dice: NDArray[np.float64]
    boundary_f1: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    pixels: NDArray[np.float64]


def class_table(sums: Floats) -> ClassTable:
    """Every judged class's scores from the summed counts (k,) of some images."""
    counts = Counts.of(sums)
    return ClassTable(
        iou=iou(counts),
        dice=dice(counts),
        boundary_f1=boundary_f1(counts),
        precision=share(counts.intersection, counts.predicted),
        recall=share(counts.intersection, counts.actual),
        pixels=counts.actual,
    )
