"""The e-process: honest under adaptive looking, and with the power that its design promises."""

from __future__ import annotations

import numpy as np
import pytest

from results.correlation import gaussian_copula
from results.evidence import CONVINCING, evidence


def passed(tau: float, looks: tuple[int, ...], worlds: int, decimals: int = 6) -> list[float]:
    """Share of worlds in which E has been convincing after so many submissions."""
    rng = np.random.default_rng(int(tau * 100))
    v, scores = gaussian_copula(rng, worlds, max(looks), tau)
    grown = np.stack(
        [
            np.maximum.accumulate(evidence(a, np.round(b, decimals)))
            for a, b in zip(v, scores, strict=True)
        ]
    )
    return [float((grown[:, n - 1] >= CONVINCING).mean()) for n in looks]


@pytest.mark.parametrize("decimals", [1, 6])
def test_at_most_five_percent_of_independent_worlds_ever_pass(decimals: int) -> None:
    assert passed(0.0, (50,), 300, decimals)[0] <= 0.05


def test_choosing_the_next_by_what_was_seen_does_not_help() -> None:
    """Always submit the validation score nearest to that of the best public one so far, or
    furthest from the worst, whichever the world's chance says: still at most 5 %."""
    worlds, ever = 300, 0
    for world in range(worlds):
        rng = np.random.default_rng(world)
        waiting = list(rng.normal(size=80))
        v, scores = [waiting.pop()], [float(rng.normal())]
        for _ in range(49):
            best, worst = v[int(np.argmax(scores))], v[int(np.argmin(scores))]
            distance = [abs(x - best) - abs(x - worst) for x in waiting]
            v.append(waiting.pop(int(np.argmin(distance))))
            scores.append(float(rng.normal()))
        ever += evidence(v, scores).max() >= CONVINCING
    assert ever / worlds <= 0.05


@pytest.mark.parametrize(
    ("tau", "power"),
    [
        (0.5, (0.28, 0.53, 0.73, 0.93)),
        (0.6, (0.44, 0.74, 0.90, 0.99)),
        (0.75, (0.77, 0.97, 1.0, 1.0)),
        (0.9, (0.98, 1.0, 1.0, 1.0)),
    ],
)
def test_power(tau: float, power: tuple[float, ...]) -> None:
    worlds = 300
    found = passed(tau, (10, 15, 20, 30), worlds)
    for share, promised in zip(found, power, strict=True):
        error = (promised * (1 - promised) / worlds) ** 0.5
        assert share >= promised - 3 * error - 0.01


def test_ties_average_and_nothing_comes_of_nothing() -> None:
    assert evidence([1.0], [2.0]).tolist() == [1.0]
    tied = evidence([1, 2, 3, 4], [5, 5, 5, 5])
    assert tied == pytest.approx(np.ones(4))
    assert evidence([1, 2, 3], [1, 2, 3])[-1] > 1 > evidence([1, 2, 3], [3, 2, 1])[-1]
