"""Trials that no other beats in score and cost, and what noise there is between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from results.metrics import Ints, Metric
from results.stats.bootstrap import bootstrap_scores

DRAWS = 1000

NORMAL = 1.96
"""Standard errors of an interval that covers 95 %."""


def unbeaten(metric: Metric, scores: Sequence[float], costs: Sequence[float]) -> list[int]:
    """Which of some trials no other beats: none is as good at a lower cost, or better at the same.

    Args:
        metric: Of the scores.
        scores: (n,).
        costs: (n,), the smaller the better.

    Returns:
        Their rows, the best score first, each cheaper than the one before it; of equals the first.
    """
    order = sorted(range(len(scores)), key=lambda i: (-metric.sign * scores[i], costs[i], i))
    found: list[int] = []
    for row in order:
        if not found or costs[row] < costs[found[-1]]:
            found.append(row)
    return found


def margins_behind(
    metric: Metric,
    labels: Ints,
    predictions: Sequence[NDArray[np.floating]],
    groups: NDArray[np.str_] | None = None,
) -> list[float | None]:
    """How uncertain the images leave it how far models are behind the first (paired bootstrap).

    Args:
        metric: What they are scored by.
        labels: int (n,).
        predictions: Of each model, probabilities (n, classes).
        groups: str (n,), or None; whole groups are resampled.

    Returns:
        Half widths of 95 % intervals, in points; None of the first, and where the metric is
        undefined on half of the resamples.
    """
    drawn = bootstrap_scores(metric, labels, predictions, DRAWS, groups)[:, 1:] / metric.points
    found: list[float | None] = [None]
    for row in drawn[1:]:
        behind = (drawn[0] - row)[np.isfinite(drawn[0] - row)]
        enough = len(behind) >= DRAWS / 2
        found.append(NORMAL * float(behind.std(ddof=1)) if enough else None)
    return found
