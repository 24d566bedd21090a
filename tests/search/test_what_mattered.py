"""What mattered in a search: on constructed scores, where it is known what did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import optuna
import pytest

from results.metrics import METRICS
from results.records.closing import WhatMattered
from results.records.trials import Search
from results.reporting.what_mattered import mattered_lines
from results.stats.early_ranks import better_grace, early_ranks
from results.stats.effects import effects
from search.planning.importance import importances
from search.planning.what_mattered import what_mattered
from spaces.ready import ready_space

ASSETS = Path(__file__).parent.parent / "assets/search"
TRIALS = 24


def drawn(seed: int) -> list[dict[str, object]]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    space = ready_space("aug_policy")
    return [space.suggest(study.ask()) for _ in range(TRIALS)]  # type: ignore[misc]


def test_a_choice_that_decides_stands_out() -> None:
    params = drawn(0)
    rng = np.random.default_rng(0)
    scores = 0.9 + 0.02 * np.array([p["mix"] == "none" for p in params])
    scores = scores + rng.normal(0, 0.001, TRIALS)
    for direction, told in (("maximize", scores), ("minimize", -scores)):
        found = importances(ready_space("aug_policy"), params, told, direction)  # type: ignore[arg-type]
        assert "mix" in [i.parameter for i in found if i.mattered]
        assert not all(i.mattered for i in found)
        depending = next(i for i in found if i.parameter == "mix_alpha")
        assert depending.trials == sum("mix_alpha" in p for p in params) < TRIALS


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_scores_of_chance_let_nothing_stand_out() -> None:
    """Five per cent of searches, and three standard errors of the simulation."""
    worlds = 100
    space, wrong = ready_space("aug_policy"), 0
    for seed in range(worlds):
        scores = np.random.default_rng(seed).normal(size=TRIALS)
        wrong += any(i.mattered for i in importances(space, drawn(seed), scores, "maximize"))
    assert wrong / worlds <= 0.05 + 3 * (0.05 * 0.95 / worlds) ** 0.5


def test_few_trials_tell_nothing() -> None:
    assert importances(ready_space("aug_policy"), drawn(0)[:7], np.zeros(7), "maximize") == []


def test_effects_of_what_some_trials_have() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(0.9, 0.01, 30)
    good, rare = np.arange(30) % 2 == 0, np.arange(30) == 0
    scores[good] += 0.05
    (found,) = effects(METRICS["macro_f1"], scores, {"good": good, "rare": rare})
    assert (found.name, found.trials) == ("good", 15)
    assert abs(found.gain - 5) < found.margin < 2
    (worse,) = effects(METRICS["log_loss"], scores, {"good": good})
    assert worse.gain == pytest.approx(-100 * (scores[good].mean() - scores[~good].mean()) / 1)


def test_early_ranks_and_a_better_first_rung() -> None:
    rng = np.random.default_rng(0)
    last = np.linspace(0.8, 0.9, 8)
    noise = [1.0, 1.0, 0.0, 0.0]  # nothing is known of the end before the third epoch
    curves = np.array([[s + n * rng.normal() for n in noise] for s in last])
    first, third = early_ranks(curves, {1, 3})
    assert (first.epoch, third.epoch) == (1, 3)
    assert third.tau.value == pytest.approx(1)
    assert third.tau.low > first.tau.low
    curves[:, 0] = last[::-1]
    assert better_grace(curves, 1) in (2, 3)
    assert better_grace(curves, 3) == 0
    assert early_ranks(curves[:4], {1}) == []
    assert better_grace(curves[:4], 1) == 0
    curves[:, 1] = 0.1  # as where networks still tell one class
    assert [ranks.epoch for ranks in early_ranks(curves, {1, 2, 3})] == [1, 3]
    curves[:, -1] = 1.0  # as where a contest is easy
    assert early_ranks(curves, {1, 2, 3}) == []


def test_a_search_tells_what_its_trials_tell() -> None:
    search = Search.read(ASSETS)
    found = what_mattered(search, ready_space("aug_policy"), METRICS["macro_f1"], 3)
    assert found is not None
    assert found.epoch == min(t.epoch for t in search.of("sampled"))
    assert {i.parameter for i in found.importances} <= {
        p.name for p in ready_space("aug_policy").params
    }
    assert WhatMattered.model_validate_json(found.model_dump_json()) == found
    lines = mattered_lines(found)
    assert f"which all {found.trials} trials reached" in lines[0]
    assert mattered_lines(None) == []
    warned = found.model_copy(update={"grace": 6})
    assert "scheduler.grace=6" in mattered_lines(warned)[-1]
    early = np.random.default_rng(0).random(40)
    for last, warns in ((-early, True), (early, False)):
        curves = np.stack([early, last], axis=1)
        told = found.model_copy(update={"grace": 0, "early": tuple(early_ranks(curves, [1]))})
        assert ("later ones say hardly more" in mattered_lines(told)[-1]) == warns
