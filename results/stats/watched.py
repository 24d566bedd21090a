"""What a confirmation tells beside the contest's metric, of each side, with an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from results.metrics import Ints, Metric
from results.records.closing import Watched
from results.stats.bootstrap import bootstrap_scores

DRAWS = 1000
COVERED = (2.5, 97.5)
"""Percentiles between which an interval lies."""


def watch(
    metrics: Mapping[str, Metric],
    labels: Ints,
    arms: Mapping[str, Sequence[NDArray[np.floating]]],
    groups: NDArray[np.str_] | None = None,
) -> list[Watched]:
    """Scores each side; images (by group) and seeds are resampled together.

    Args:
        metrics: What to score, by what it is called; each has statistics.
        labels: int (n,).
        arms: Probabilities (n, classes) per seed, by side.
        groups: str (n,), or None.

    Returns:
        Side by side for each metric; none of a metric that is undefined on these images, or on half
        of the resamples.
    """
    found = []
    for what, metric in metrics.items():
        for arm, predictions in arms.items():
            scores = bootstrap_scores(metric, labels, predictions, DRAWS, groups)
            seeds = len(scores)
            picked = np.random.default_rng(0).integers(0, seeds, (seeds, DRAWS))
            draws = np.take_along_axis(scores[:, 1:], picked, axis=0).mean(axis=0)
            defined = draws[np.isfinite(draws)]
            score = float(scores[:, 0].mean())
            if not np.isfinite(score) or len(defined) < DRAWS / 2:
                continue
            assert metric.statistics is not None
            told = metric.statistics(labels, predictions[0].astype(np.float64))
            low, high = np.percentile(defined, COVERED)
            found.append(
                Watched(
                    what=what,
                    arm=arm,
                    score=score,
                    low=float(low),
                    high=float(high),
                    seeds=seeds,
                    images=int((told != 0).any(axis=1).sum()),
                )
            )
    return found
