"""The first draws of a search: random, and unlike one another."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution

from results.records.opening import Past
from results.records.trial import Trial
from search.planning.sampler import Sampler
from search.planning.spread import distances, spread_draw, started_draw
from spaces.param import Param
from spaces.ready import READY, ready_space
from spaces.ready.aug_policy import aug_policy
from spaces.ready.schedule import schedule
from spaces.space import SearchSpace
from spaces.trial_config import TrialConfig
from spaces.value import Value


def distance(space: SearchSpace, a: Mapping[str, Any], b: Mapping[str, Any]) -> float:
    return float(distances(space, [a], [b])[0, 0])


@pytest.mark.parametrize("name", READY)
def test_what_is_drawn_is_in_the_space(name: str) -> None:
    space = ready_space(name)
    before: list[dict[str, Value]] = []
    for number in range(12):
        drawn = spread_draw(space, before, [0, number])
        assert space.read(drawn) == drawn
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
    space = replace(aug_policy(), starts=())

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


@pytest.mark.parametrize("name", READY)
def test_starts_are_in_their_space(name: str) -> None:
    """With every value that they name."""
    space = ready_space(name)
    for number, start in enumerate(space.starts):
        drawn = started_draw(space, start, [0, number])
        assert space.read(drawn) == drawn
        missing = start.keys() - drawn.keys()
        assert all(drawn[key] == start[key] for key in start.keys() - missing)
        assert not missing or name == "full"  # where one start names another's optimizer


def test_what_is_usual_comes_first_as_far_as_the_space_has_it() -> None:
    space = aug_policy().join(schedule())
    sampler = Sampler(space, "score", "maximize", seed=3, startup=10)
    asked = [sampler.ask(f"t-{n}") for n in range(5)]
    assert [a["stage1.operation"] for a in asked[:3]] == ["crop", "rotate", "contrast"]
    assert asked[0]["mix"] == asked[1]["mix"] == "none"
    assert asked[2]["mix"] == "cutmix"
    assert [a["lr"] for a in asked[:2]] == [1e-3, 3e-3]
    assert asked[2]["lr"] not in (1e-3, 3e-3)
    assert all(space.read(a) == a for a in asked)
    fewer = space.pin({"mix": "none"}).narrow({"lr": [5e-3, 1e-2]}).drop(["stage1.operation.crop"])
    sampler = Sampler(fewer, "score", "maximize", seed=3, startup=10)
    first = sampler.ask("t-0")
    assert fewer.read(first) == first
    assert first["stages"] == 1
    assert first["stage1.probability"] == 1.0


def test_a_search_that_goes_on_does_not_begin_again() -> None:
    """What was asked before, and what earlier searches did, take no start away or bring it back."""
    space = aug_policy()
    whole = Sampler(space, "score", "maximize", seed=3, startup=10)
    asked = [whole.ask(f"t-{n}") for n in range(4)]
    known = [
        Trial(
            id=f"t-{n}",
            number=n,
            why="sampled",
            arm="",
            params=params,
            config=TrialConfig(),
            started=0.0,
        )
        for n, params in enumerate(asked[:2])
    ]
    again = Sampler(space, "score", "maximize", seed=3, startup=10, history=known)
    assert again.ask("t-2") == asked[2]
    past = [Past(id="old-1", params=asked[3], scores=(0.5,), finished=True)]
    later = Sampler(space, "score", "maximize", seed=3, startup=10, past=past)
    assert later.ask("t-0") == asked[0]
