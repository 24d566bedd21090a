"""A contract for every ready space, and for joining, pinning and narrowing."""

from __future__ import annotations

import functools
import json

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution

from spaces.errors import InputError
from spaces.param import Param, When
from spaces.ready import READY, ready_space
from spaces.ready.aug_policy import aug_policy
from spaces.ready.optimizer import optimizer
from spaces.ready.schedule import schedule
from spaces.space import SearchSpace
from spaces.trial_config import TrialConfig

optuna.logging.set_verbosity(optuna.logging.ERROR)
ALL = {
    **{name: ready_space(name) for name in READY},
    "joined": aug_policy().join(schedule()).join(optimizer()),
    "three stages": aug_policy(stages=3),
}


def draws(space: SearchSpace, count: int) -> list[dict[str, object]]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return [dict(space.suggest(study.ask())) for _ in range(count)]


@functools.cache
def drawn(name: str) -> list[dict[str, object]]:
    """Many draws of a space."""
    return draws(ALL[name], 200)


@pytest.mark.parametrize("name", ALL)
def test_every_draw_is_in_the_space_and_builds_a_configuration(name: str) -> None:
    for params in drawn(name):
        assert ALL[name].read(params) == params
        config = TrialConfig().with_params(params)
        assert TrialConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


LARGE = {"fast_autoaugment", "subset", "full"}
"""Published with more dimensions than a contest's number of trials settles; they say so."""


@pytest.mark.parametrize("name", sorted({*READY} - LARGE))
def test_ready_spaces_keep_to_few_live_dimensions(name: str) -> None:
    assert max(len(params) for params in drawn(name)) <= 9


def test_a_foreign_parameter_is_not_read_and_a_missing_one_spoils_the_rest() -> None:
    params = draws(schedule(), 1)[0]
    assert schedule().read({**params, "mix": "none"}) == params
    del params["lr"]
    assert schedule().read(params) is None


def test_pinning_settles_conditions() -> None:
    space = optimizer().pin({"optimizer": "sgd"})
    names = {p.name for p in space.params}
    assert "sgd.lr" in names
    assert "beta2" not in names
    assert all(w.parameter != "optimizer" for p in space.params for w in p.when)
    one = aug_policy().pin({"stages": 1})
    assert not any(p.name.startswith("stage2") for p in one.params)


def test_narrowing_drops_dependants_of_choices_that_are_gone() -> None:
    space = aug_policy().narrow({"mix": ["none"], "stage1.operation": ["rotate", "blur"]})
    assert "mix_alpha" not in space
    operations = {p["stage1.operation"] for p in draws(space, 50)}
    assert operations == {"rotate", "blur"}


def test_dropping_leaves_choices_out_wherever_they_are() -> None:
    space = aug_policy().drop(["mixup", "cutmix", "rotate"])
    assert space["mix"].categories == ("none",)
    assert "mix_alpha" not in space
    assert "rotate" not in {p["stage2.operation"] for p in draws(space, 300) if p["stages"] == 2}
    one = aug_policy().drop(["stage2.operation.rotate"])
    assert "rotate" in one["stage1.operation"].categories
    assert "rotate" not in one["stage2.operation"].categories
    assert "rotate" not in one["stage2.strength"].when[-1].values
    assert aug_policy().drop([]) == aug_policy()


@pytest.mark.parametrize(
    ("ranges", "words"),
    [
        ({"lr": [1e-2, 1e-4]}, "upside down"),
        ({"lr": [1e-9, 1e-3]}, "outside"),
        ({"lr": 3}, r"\[low,high\]"),
        ({"ler": [1, 2]}, "did you mean lr"),
        ({"warmup_epochs": [0, 2.5]}, "outside"),
    ],
)
def test_bad_ranges_are_refused(ranges: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        schedule().narrow(ranges)


def test_joining_searches_a_shared_parameter_once() -> None:
    space = schedule().join(optimizer())
    assert [p.name for p in space.params].count("lr") == 1
    assert space["lr"].when == optimizer()["lr"].when
    other = SearchSpace(name="x", params=(Param(name="lr", distribution=FloatDistribution(1, 2)),))
    with pytest.raises(InputError, match="differently"):
        schedule().join(other)


def test_joining_under_a_condition() -> None:
    mix = SearchSpace(
        name="mix",
        params=(Param(name="mix", distribution=CategoricalDistribution(("none", "mixup"))),),
    )
    only = When(parameter="mix", values=("mixup",))
    space = mix.join(schedule(), only)
    assert all(p.when[0] == only for p in space.params[1:])
    assert space["warmup_start"].when[1:] == schedule()["warmup_start"].when
    assert all(("lr" in p) == (p["mix"] == "mixup") for p in draws(space, 50))


def test_a_space_checks_itself() -> None:
    mix = Param(name="mix", distribution=CategoricalDistribution(("none", "mixup")))
    late = Param(
        name="a", distribution=FloatDistribution(0, 1), when=(When(parameter="mix", values=("x",)),)
    )
    with pytest.raises(InputError, match="never drawn"):
        SearchSpace(name="s", params=(mix, late))
    with pytest.raises(InputError, match="does not come before"):
        SearchSpace(name="s", params=(late, mix))
    with pytest.raises(InputError, match="twice"):
        SearchSpace(name="s", params=(mix, mix))
    with pytest.raises(InputError, match="only letters"):
        SearchSpace(name="../x", params=(mix,))
    assert not schedule()["warmup_epochs"].contains(float("inf"))
    with pytest.raises(InputError, match="must look like"):
        Param(name="Bad Name", distribution=FloatDistribution(0, 1))


@settings(max_examples=50, deadline=None)
@given(st.floats(1e-4, 1e-2), st.floats(1e-4, 1e-2))
def test_narrowed_ranges_contain_exactly_what_lies_inside(a: float, b: float) -> None:
    low, high = sorted((a, b))
    param = schedule()["lr"].narrow([low, high])
    assert param.contains(low)
    assert param.contains(high)
    assert not param.contains(low / 2)
    assert not param.contains(high * 2)
