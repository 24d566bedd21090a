"""Rank correlation of few pairs, with intervals that hold."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from results.stats.interval import Interval

LEVEL = 0.95
_SIMULATED_LEVEL = 0.96  # a little more, for the noise of simulated quantiles
SMALLEST, LARGEST = 3, 60
"""Numbers of pairs for which intervals are simulated; for more pairs, those of 60 are used."""

_TAUS = np.concatenate([np.linspace(-0.95, 0.95, 39), [0.98, 0.99, 0.995]])
_DRAWS = 1000


def kendall(a: ArrayLike, b: ArrayLike) -> float:
    """Kendall's tau-b; NaN when one side is constant."""
    return float(scipy.stats.kendalltau(a, b).statistic)


def kendall_interval(a: ArrayLike, b: ArrayLike) -> Interval:
    """Kendall's tau-b with an interval for the tau of the population.

    The interval holds every tau under which the observed one would not be surprising, whether the
    pairs come from a Gaussian or a Clayton copula (either tail), by simulation at this number of
    pairs and with these ties, which rounded scores have. Normal approximations cover 39 % at five
    pairs and collapse at tau 1; this one does not.

    Args:
        a: Scores (n,).
        b: Scores (n,).

    Returns:
        The whole range from -1 to 1 with fewer than three pairs or a constant side.
    """
    x, y = np.asarray(a, np.float64), np.asarray(b, np.float64)
    tau = kendall(x, y) if len(x) >= 2 else float("nan")
    if len(x) < SMALLEST or not np.isfinite(tau):
        return Interval(value=tau, low=-1.0, high=1.0)
    if len(x) > LARGEST:
        rows = np.sort(np.random.default_rng(0).choice(len(x), LARGEST, replace=False))
        x, y = x[rows], y[rows]
    low, high = _acceptance(_ties(x), _ties(y))
    inside = _TAUS[(low <= tau + 1e-9) & (tau - 1e-9 <= high)]
    if not len(inside):
        return Interval(value=tau, low=tau, high=tau)
    step = 0.025  # half the grid's spacing, since the true end lies between two of its points
    bottom = max(-1.0, float(inside.min()) - step)
    top = 1.0 if inside.max() >= _TAUS[-1] else min(1.0, float(inside.max()) + step)
    return Interval(value=tau, low=bottom, high=max(top, tau))


def _ties(scores: NDArray[np.float64]) -> tuple[int, ...]:
    """Sizes of groups of equal scores, from the lowest up."""
    return tuple(np.unique(scores, return_counts=True)[1].tolist())


@lru_cache(maxsize=256)
def _acceptance(
    ties_a: tuple[int, ...], ties_b: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For every tau of the grid, the range of sample taus that is not surprising."""
    n = sum(ties_a)
    group_a = np.repeat(np.arange(len(ties_a)), ties_a)
    group_b = np.repeat(np.arange(len(ties_b)), ties_b).astype(np.int8)
    first, second = np.triu_indices(n, 1)
    untied = group_a[first] < group_a[second]
    first, second = first[untied], second[untied]
    low, high = np.full(len(_TAUS), np.inf), np.full(len(_TAUS), -np.inf)
    for ranks, i in _rank_draws(n):
        b = group_b[ranks]
        order = np.sign(b[second] - b[first])
        pairs = len(first) * np.count_nonzero(group_b[:, None] < group_b)
        taus = order.sum(axis=0, dtype=np.int16) / np.sqrt(pairs)
        bounds = np.quantile(taus, [(1 - _SIMULATED_LEVEL) / 2, (1 + _SIMULATED_LEVEL) / 2])
        low[i], high[i] = min(low[i], bounds[0]), max(high[i], bounds[1])
    return low, high


@lru_cache(maxsize=4)
def _rank_draws(n: int) -> list[tuple[NDArray[np.int8], int]]:
    """Ranks (n, draws) of one side in the order of the other, for every tau and both copulas."""
    rng = np.random.default_rng(n)
    found = []
    for i, tau in enumerate(_TAUS):
        for draw in (gaussian_copula, clayton_copula):
            a, b = draw(rng, _DRAWS, n, abs(float(tau)))
            ranks = np.argsort(np.argsort(b, axis=1), axis=1).astype(np.int8)
            ranks = np.take_along_axis(ranks, np.argsort(a, axis=1), axis=1).T.copy()
            found.append((ranks if tau >= 0 else n - 1 - ranks, i))
    return found


def gaussian_copula(
    rng: np.random.Generator, draws: int, n: int, tau: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pairs (draws, n) of normal scores with Kendall's tau ``tau``."""
    rho = np.sin(np.pi * tau / 2)
    a = rng.normal(size=(draws, n))
    return a, rho * a + np.sqrt(1 - rho**2) * rng.normal(size=(draws, n))


def clayton_copula(
    rng: np.random.Generator, draws: int, n: int, tau: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pairs (draws, n) of uniform scores that agree most among the low ones; ``tau`` from 0 to 1.

    Conditional method (Nelsen, An Introduction to Copulas, 2006, exercise 4.17).
    """
    u, w = rng.random((draws, n)), rng.random((draws, n))
    if tau < 1e-6:
        return u, w
    theta = 2 * tau / (1 - tau)
    # In logarithms: at high tau the powers overflow.
    power = np.log(np.expm1(-theta / (1 + theta) * np.log(w))) - theta * np.log(u)
    return u, np.exp(-np.logaddexp(0, power) / theta)
