"""The first draws of a search: random, and unlike one another."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution

from search.planning.sampler import Sampler
from search.planning.spread import distances, spread_draw
from spaces.param import Param
from spaces.ready import READY, ready_space
from spaces.ready.aug_policy import aug_policy
from spaces.ready.schedule import schedule
from spaces.space import SearchSpace
from spaces.value import Value


def distance(space: SearchSpace, a: Mapping[str, Any], b: Mapping[str, Any]) -> float:
    return float(distances(space, [a], [b])[0, 0])


@pytest.mark.parametrize("name", READY)
def test_what_is_drawn_is_in_the_space(name: str) -> None:
    space = ready_space(name)
    before: list[dict[str, Value]] = []
    for number in range(12):
        drawn = spread_draw(space, before, [0, number])
        assert space.contains(drawn)
        before.append(drawn)


def test_distances_of_draws() -> None:
    space = schedule()
    a = {"lr": 1e-4, "weight_decay": 1e-2, "warmup_epochs": 0}
    assert distance(space, a, a) == 0
    assert distance(space, a, {**a, "lr": 1e-2}) == pytest.approx(1 / 3)
    assert distance(space, a, {**a, "lr": 1e-3}) == pytest.approx(1 / 6)
    longer = {**a, "warmup_epochs": 3, "warmup_start": 0.1}
    assert distance(space, a, longer) == pytest.approx(2 / 4)


def test_distances_of_many_are_those_of_two() -> None:
    """Conditional parameters, numbers, logarithms and choices, whatever their types."""
    space = ready_space("full")
    draws = [spread_draw(space, [], [1, number]) for number in range(12)]
    found = distances(space, draws[:5], draws)
    assert found.shape == (5, 12)
    for (row, a), (column, b) in itertools.product(enumerate(draws[:5]), enumerate(draws)):
        assert found[row, column] == pytest.approx(distance(space, b, a))
    assert np.all(found[np.arange(5), np.arange(5)] == 0)
    assert 0 < found[0, 1] < 1
    choices = (None, True, "a", 0.5)
    mixed = SearchSpace(
        name="mixed",
        params=(Param(name="choice", distribution=CategoricalDistribution(choices)),),
    )
    each = [{"choice": choice} for choice in choices]
    np.testing.assert_array_equal(distances(mixed, each, each), 1 - np.eye(4))
    assert distances(mixed, [{}], [{}, each[0]]).tolist() == [[0, 1]]


def test_the_first_draws_keep_apart_and_are_the_same_again() -> None:
    """Ten draws, ten times: the two that are most alike are farther apart than at random."""
    space = aug_policy()

    def nearest(draws: list[dict[str, object]]) -> float:
        return min(distance(space, a, b) for a, b in itertools.combinations(draws, 2))

    def asked(seed: int) -> list[dict[str, object]]:
        sampler = Sampler(space, "val/x", "maximize", seed, 10)
        return [dict(sampler.ask(f"t-{i:03d}")) for i in range(10)]

    ours = [nearest(asked(seed)) for seed in range(10)]
    plain = [
        nearest([dict(spread_draw(space, [], [seed, i])) for i in range(10)]) for seed in range(10)
    ]
    assert sum(ours) > 1.3 * sum(plain)
    assert asked(3) == asked(3)
    assert asked(3) != asked(4)
