"""Classes with few images: which they are, and how many of their images are recognised."""

from __future__ import annotations

import numpy as np

from results.metrics import Floats, Ints, Metric, of_sums, share

RARE = 0.5
"""A class is rare that has fewer images than this share of the median class's."""


def rare_classes(labels: Ints, classes: int) -> Ints:
    """The rare classes, rarest first; none where classes are of a size.

    Args:
        labels: int (n,), of all labelled images.
        classes: Number of classes.
    """
    counts = np.bincount(labels, minlength=classes)
    order = np.argsort(counts, kind="stable")
    return order[counts[order] < RARE * np.median(counts)]


def recall_of(classes: Ints) -> Metric:
    """Share of the images of some classes, taken together, that are recognised."""

    def statistics(labels: Ints, probabilities: Floats) -> Floats:
        among = np.isin(labels, classes)
        right = among & (labels == probabilities.argmax(axis=1))
        return np.stack([right, among], axis=1).astype(np.float64)

    def reduce(sums: Floats) -> Floats:
        return share(sums[..., 0], sums[..., 1])

    return of_sums("rare_recall", statistics, reduce)
