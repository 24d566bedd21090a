"""The e-process: honest under adaptive looking, and with the power that its design promises."""

from __future__ import annotations

import numpy as np
import pytest

from results.trust.evidence import evidence
from tests.simulations import LOOKS, POWERS, adaptive_passes, passed


@pytest.mark.parametrize("decimals", [1, 6])
def test_at_most_five_percent_of_independent_worlds_ever_pass(decimals: int) -> None:
    assert passed(0.0, (50,), 300, decimals)[0] <= 0.05


def test_choosing_the_next_by_what_was_seen_does_not_help() -> None:
    """Always submit the validation score nearest to that of the best public one so far, or
    furthest from the worst, whichever the world's chance says: still at most 5 %."""
    assert adaptive_passes(300) <= 0.05


@pytest.mark.parametrize(("tau", "power"), POWERS.items())
def test_power(tau: float, power: tuple[float, ...]) -> None:
    worlds = 300
    found = passed(tau, LOOKS, worlds)
    for share, promised in zip(found, power, strict=True):
        error = (promised * (1 - promised) / worlds) ** 0.5
        assert share >= promised - 3 * error - 0.01


def test_ties_average_and_nothing_comes_of_nothing() -> None:
    assert evidence([1.0], [2.0]).tolist() == [1.0]
    tied = evidence([1, 2, 3, 4], [5, 5, 5, 5])
    assert tied == pytest.approx(np.ones(4))
    assert evidence([1, 2, 3], [1, 2, 3])[-1] > 1 > evidence([1, 2, 3], [3, 2, 1])[-1]
