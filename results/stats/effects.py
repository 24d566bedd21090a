"""What a choice changed in the mean, with an interval."""

from __future__ import annotations

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
    tail = (1 - LEVEL) / 2 / max(1, len(split))
    found = []
    for name, (with_it, without) in split.items():
        parts = [float(side.var(ddof=1)) / len(side) for side in (with_it, without)]
        variance = sum(parts)
        spread = sum(p**2 / (len(s) - 1) for p, s in zip(parts, (with_it, without), strict=True))
        freedom = variance**2 / spread if spread else 1.0
        found.append(
            Effect(
                name=name,
                gain=float(with_it.mean() - without.mean()),
                margin=float(scipy.stats.t.isf(tail, freedom)) * variance**0.5,
                trials=len(with_it),
            )
        )
    return sorted(found, key=lambda e: -e.gain)
