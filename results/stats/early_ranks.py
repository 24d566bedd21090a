"""Do early scores of trainings rank them as their last ones do?"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from results.records.closing import EarlyRanks
from results.stats.correlation import kendall, kendall_interval

FEWEST = 5
"""Trainings that ran to their end, below which nothing is said."""

WORTHLESS, WORTH = 0.3, 0.5
"""Kendall's tau below which early ranks are hardly better than none, and from which on they are."""


def early_ranks(curves: NDArray[np.float64], epochs: Collection[int]) -> list[EarlyRanks]:
    """Compares scores after some epochs with the last ones.

    Where early stopping ended others, those that are left are alike, which makes tau small: among
    all trials ranks are worth more.

    Args:
        curves: Scores float64 (n, epochs) of trainings that ran to the same end.
        epochs: After which to look, such as the rungs of early stopping.

    Returns:
        In the order of the epochs; none with fewer than `FEWEST` trainings, nor after an epoch
        where scores, or the last ones, are all the same.
    """
    if len(curves) < FEWEST:
        return []
    taus = {
        epoch: kendall_interval(curves[:, epoch - 1], curves[:, -1])
        for epoch in sorted(epochs)
        if 0 < epoch < curves.shape[1]
    }
    return [
        EarlyRanks(epoch=epoch, tau=tau, trials=len(curves))
        for epoch, tau in taus.items()
        if np.isfinite(tau.value)
    ]


def better_grace(curves: NDArray[np.float64], grace: int) -> int:
    """The first epoch whose ranks are worth something, where those after ``grace`` are not.

    Args:
        curves: As of `early_ranks`.
        grace: The first rung.

    Returns:
        0 where the first rung is good enough, no epoch is better, or there are too few trainings.
    """
    last = curves.shape[1] if len(curves) >= FEWEST else 0
    taus = {e: kendall(curves[:, e - 1], curves[:, -1]) for e in range(grace, last)}
    if not taus or not taus[grace] < WORTHLESS:
        return 0
    return next((e for e, tau in taus.items() if tau >= WORTH), 0)
