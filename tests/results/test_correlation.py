"""Rank correlation against scipy, and intervals that hold at few pairs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from results.stats.correlation import clayton_copula, gaussian_copula, kendall, kendall_interval
from tests.simulations import TAUS, covered


@pytest.mark.parametrize(
    ("n", "decimals", "worlds"),
    [
        *[(5, 2, 40), (5, 4, 40), (8, 4, 40), (12, 4, 40)],
        *(pytest.param(*row, marks=pytest.mark.slow) for row in ((12, 2, 20), (20, 4, 40))),
        pytest.param(30, 4, 15, marks=pytest.mark.slow),
    ],
)
def test_coverage(n: int, decimals: int, worlds: int) -> None:
    """Scores rounded to 2 decimals have ties of their own each, which takes longest."""
    share = np.mean([hit for tau in TAUS for hit in covered(n, decimals, worlds, tau)])
    assert share >= 0.93 - 2 * (0.05 * 0.95 / (worlds * len(TAUS) * 2)) ** 0.5


@pytest.mark.parametrize("seed", range(5))
def test_equal_to_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=12).round(1), rng.normal(size=12).round(1)
    assert kendall(a, b) == pytest.approx(stats.kendalltau(a, b).statistic, abs=1e-12)
    assert kendall_interval(a, b).value == kendall(a, b)


def test_intervals_do_not_collapse_and_fall_back() -> None:
    perfect = kendall_interval(range(6), range(6))
    assert perfect.value == pytest.approx(1)
    assert perfect.high == 1.0
    assert perfect.low < 0.75
    reverse = kendall_interval(range(6), range(6, 0, -1))
    assert reverse.low < -0.95
    assert reverse.high > -0.75
    assert kendall_interval([1, 2], [1, 2]).low == -1
    assert kendall_interval([1, 1, 1, 1], [1, 2, 3, 4]).high == 1
    wide, narrow = kendall_interval(range(5), range(5)), kendall_interval(range(25), range(25))
    assert narrow.low > wide.low


@pytest.mark.parametrize("tau", [0.3, 0.75, 0.95])
@pytest.mark.parametrize("draw", [gaussian_copula, clayton_copula])
def test_copulas_have_the_tau_they_promise(draw: object, tau: float) -> None:
    a, b = draw(np.random.default_rng(0), 1, 3000, tau)  # type: ignore[operator]
    assert stats.kendalltau(a[0], b[0]).statistic == pytest.approx(tau, abs=0.03)
