"""Ways to score a hold-out, each as a metric, so that everything else treats them alike."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from results.metrics import Floats, Ints, Metric
from results.trust.band import Validated

Name = Literal["plain", "class-balanced", "worst group", "test-weighted", "stress"]

SMALLEST_GROUP = 10
"""Images below which a group is too small to be the worst one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Validation:
    """A way to score a hold-out.

    Attributes:
        name: What it is called.
        weights: Of each image, float (n,) with mean 1; None for equal ones.
        groups: int (n,), the group of each image, -1 for groups that are too small: the score is
            that of the worst group. None otherwise.
        stressed: Whether it scores predictions under the stress instead of the plain ones.
    """

    name: Name
    weights: Floats | None = None
    groups: Ints | None = None
    stressed: bool = False

    def seen(self, trial: Validated) -> NDArray[np.floating]:
        """The predictions of a trial that it scores, float (n, classes)."""
        if not self.stressed:
            return trial.probabilities
        assert trial.stressed is not None
        return trial.stressed

    def of(self, metric: Metric) -> Metric:
        """The metric, computed this way."""
        if self.weights is not None:
            image_weights = self.weights

            def weighted(labels: Ints, probabilities: Floats, weights: Floats) -> Floats:
                return metric.weighted(labels, probabilities, weights * image_weights)

            return dataclasses.replace(metric, weighted=weighted, statistics=None, reduce=None)
        if self.groups is not None:
            groups = self.groups
            worst = np.fmin if metric.direction == "maximize" else np.fmax  # these pass NaN by

            def of_worst(labels: Ints, probabilities: Floats, weights: Floats) -> Floats:
                found = []
                for group in range(int(groups.max()) + 1):
                    rows = np.flatnonzero(groups == group)
                    there = weights[:, rows].sum(axis=1) > 0  # a resample may leave a group out
                    score = np.full(len(weights), np.nan)
                    score[there] = metric.weighted(
                        labels[rows], probabilities[rows], weights[there][:, rows]
                    )
                    found.append(score)
                return np.asarray(worst.reduce(np.stack(found), axis=0))

            return dataclasses.replace(metric, weighted=of_worst, statistics=None, reduce=None)
        return metric


PLAIN = Validation(name="plain")

STRESS = Validation(name="stress", stressed=True)
"""The plain metric on hold-out images under the stress."""


def class_balanced(labels: Ints) -> Validation:
    """Every class weighs the same."""
    counts = np.bincount(labels)
    weights = len(labels) / (np.count_nonzero(counts) * counts[labels])
    return Validation(name="class-balanced", weights=weights.astype(np.float64))


def worst_group(groups: NDArray[np.str_] | None) -> Validation | None:
    """The worst group decides; None unless there are two groups of `SMALLEST_GROUP` images."""
    if groups is None:
        return None
    _, index, counts = np.unique(groups, return_inverse=True, return_counts=True)
    large = np.flatnonzero(counts >= SMALLEST_GROUP)
    if len(large) < 2:
        return None
    renamed = np.full(len(counts), -1)
    renamed[large] = np.arange(len(large))
    return Validation(name="worst group", groups=renamed[index].astype(np.int64))


def weighted_to_test(weights: Floats) -> Validation:
    """Images count as much as the test set has of their like."""
    return Validation(name="test-weighted", weights=weights / weights.mean())
