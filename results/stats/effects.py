"""What a choice changed in the mean, with an interval."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import scipy
from numpy.typing import NDArray

from results.metrics import Metric
from results.records.closing import Effect

LEVEL = 0.95
"""Of all intervals together."""

FEWEST = 2
"""Trials with and trials without, below which nothing is said."""


def effects(
    metric: Metric, scores: NDArray[np.float64], having: Mapping[str, NDArray[np.bool_]]
) -> list[Effect]:
    """Compares trials with and without each of some things (Welch's t, Bonferroni's bound).

    Args:
        metric: Of the scores.
        scores: float64 (n,).
        having: Which trials have it, bool (n,), by name.

    Returns:
        The largest gain first, of what at least `FEWEST` trials have and `FEWEST` have not.
    """
    merits = metric.sign * scores / metric.points
    split = {
        name: (merits[has], merits[~has])
        for name, has in having.items()
        if min(has.sum(), (~has).sum()) >= FEWEST
    }
    level = 1 - (1 - LEVEL) / max(1, len(split))
    found = []
    for name, (with_it, without) in split.items():
        with warnings.catch_warnings():  # of scores that are all alike
            warnings.simplefilter("ignore", RuntimeWarning)
            welch = scipy.stats.ttest_ind(with_it, without, equal_var=False)
        gain = float(with_it.mean() - without.mean())
        margin = float(welch.confidence_interval(level).high) - gain
        found.append(Effect(name=name, gain=gain, margin=margin, trials=len(with_it)))
    return sorted(found, key=lambda e: -e.gain)
