"""Warm start: what a new search learns from earlier ones, and what it need not train again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from results.records.ledger import Ledger
from results.records.opening import Past
from results.records.trial import Trial
from results.records.trials import Search
from search.execution.driver import Driver
from search.options.command_line import parse
from search.options.training import RunConfig
from search.planning.planned import Planned
from search.planning.sampler import Sampler
from search.planning.warm_start import Source, _fit
from spaces.augmentation.trivial_augment import trivial_augment
from spaces.param import Param, When
from spaces.space import SearchSpace
from spaces.trial_config import TrialConfig
from tests.records import opening_event

SPACE = SearchSpace(
    name="s",
    params=(
        Param(name="optimizer", distribution=CategoricalDistribution(("adamw", "sgd"))),
        Param(name="lr", distribution=FloatDistribution(1e-4, 1e-1, log=True)),
        Param(name="warmup_epochs", distribution=IntDistribution(0, 3)),
        Param(
            name="momentum",
            distribution=FloatDistribution(0.5, 0.99),
            when=(When(parameter="optimizer", values=("sgd",)),),
        ),
    ),
)
BASE = TrialConfig.of(epochs=6)


def source(config: TrialConfig, values: Mapping[str, Any]) -> Source:
    return Source(
        id="a-001",
        values=values,
        seed=config.run.seed,
        digest=config.digest,
        scores=(0.5, 0.7),
        finished=True,
    )


def test_values_and_texts_are_read_alike() -> None:
    drawn = {"optimizer": "sgd", "lr": 0.01, "warmup_epochs": 2, "momentum": 0.9}
    texts = {name: str(value) for name, value in drawn.items()}
    assert SPACE.read(drawn) == SPACE.read(texts) == drawn
    assert SPACE.read({**texts, "optimizer": "adamw", "more": "1"}) == {
        "optimizer": "adamw",
        "lr": 0.01,
        "warmup_epochs": 2,
    }
    for name, value in {"lr": "1", "warmup_epochs": "1.5", "optimizer": "lamb"}.items():
        assert SPACE.read({**texts, name: value}) is None
    assert SPACE.read({}) is None


def test_only_what_this_search_could_have_trained_counts() -> None:
    drawn: dict[str, Any] = {"optimizer": "adamw", "lr": 0.01, "warmup_epochs": 2}
    config = BASE.with_params(drawn)
    fitting = _fit(source(config, drawn), BASE, SPACE, {})
    assert fitting == Past(id="a-001", params=drawn, scores=(0.5, 0.7), finished=True)
    other_seed = config.replace(seed=4)
    assert isinstance(_fit(source(other_seed, drawn), BASE, SPACE, {}), Past)
    strange = config.replace(epochs=9, store_side=300)
    told = {name: str(value) for name, value in strange.flat().items()}  # as MLflow has it
    for values in (strange.flat(), told):
        why = _fit(
            source(
                strange,
                {
                    **values,
                    **drawn,
                },
            ),
            BASE,
            SPACE,
            {},
        )
        assert why == "with another store_side and epochs"
    averaged = config.replace(averaging="swa", swa_epochs=2)
    for ours, theirs in ((config, averaged), (averaged, config)):
        values = {**theirs.flat(), **drawn}
        base = ours.replace(lr=BASE.optimizer.lr)
        assert str(_fit(source(theirs, values), base, SPACE, {})).startswith(
            "with another averaging"
        )
    trivial = config.replace(policy=trivial_augment())
    values = {**trivial.flat(), **drawn}
    assert _fit(source(trivial, values), BASE, SPACE, {}) == "with another policy"
    assert _fit(source(config, {**drawn, "lr": 9.0}), BASE, SPACE, {}) == "outside the space"
    scoreless = replace(source(config, drawn), scores=())
    assert _fit(scoreless, BASE, SPACE, {}) == "without a score at every epoch"
    pinned = SPACE.pin({"lr": 0.01})
    rest = {"optimizer": "adamw", "warmup_epochs": 2}
    found = _fit(source(config, drawn), BASE, pinned, {"lr": 0.01})
    assert isinstance(found, Past)
    assert found.params == rest


def test_the_sampler_has_learnt_it() -> None:
    """With thirty good trials in one corner it draws from there, not at random."""
    drawn: dict[str, Any] = {"optimizer": "adamw", "warmup_epochs": 1}
    past = [
        Past(
            id=f"a-{i}",
            params={**drawn, "lr": 0.05 if i % 3 else 2e-4},
            scores=(0.9 if i % 3 else 0.2,),
            finished=i % 5 > 0,
        )
        for i in range(30)
    ]
    sampler = Sampler(SPACE, "val/accuracy", "maximize", 0, 5, (), past)
    states = [t.state.name for t in sampler.study.trials]
    assert (states.count("COMPLETE"), states.count("PRUNED")) == (24, 6)
    asked = [float(sampler.ask(f"b-{i}")["lr"]) for i in range(20)]
    fresh = Sampler(SPACE, "val/accuracy", "maximize", 0, 5)
    random = [float(fresh.ask(f"b-{i}")["lr"]) for i in range(5)]
    assert sum(lr > 0.01 for lr in asked) >= 12  # at random a third of them
    assert asked[:5] != random


def finished(folder: Path, config: TrialConfig) -> Trial:
    """A training that another job has done."""
    search = Search(folder=folder)
    driver = Driver(Ledger(folder / "ledger.jsonl"), search)
    driver.record(opening_event("a", config))
    driver.begin(Planned(id="a-000", number=0, why="sampled", config=config))
    for epoch in range(1, config.run.epochs + 1):
        report = {
            "epoch": epoch,
            "metrics": {"val/accuracy": epoch / 10},
            "seconds": {"total": 1.0},
        }
        driver.report("a-000", {"epoch": epoch, "reports": [report]})
    driver.complete("a-000")
    return search.trials["a-000"]


def test_a_training_that_was_done_is_taken_over(tmp_path: Path) -> None:
    config = TrialConfig.of(epochs=2)
    known = finished(tmp_path / "c/a", config)
    folder = tmp_path / "c/b"
    ledger = Ledger(folder / "ledger.jsonl")
    search = Search(folder=folder)
    driver = Driver(ledger, search, None, {config: known}.get)
    driver.record(opening_event("b", config))
    ended: list[Trial] = []
    driver.on_end([ended.append])
    assert not driver.begin(Planned(id="b-000", number=0, why="baseline", config=config))
    assert driver.begin(Planned(id="b-001", number=1, why="sampled", config=config.replace(seed=1)))
    assert driver.begin(Planned(id="b-002", number=2, why="sampled", config=config.replace(lr=0.5)))
    (taken,) = ended
    assert (taken.id, taken.taken, taken.state) == ("b-000", "a-000", "finished")
    assert taken.epochs == known.epochs
    assert search.trial_folder(taken) == tmp_path / "c/a/trials/a-000"
    ledger.close()
    assert Search.read(folder).trials == search.trials


def test_a_search_does_not_train_the_same_twice(tmp_path: Path) -> None:
    config = TrialConfig.of(epochs=1, warmup_epochs=0)
    driver = Driver(Ledger(tmp_path / "ledger.jsonl"), Search(folder=tmp_path))
    driver.record(opening_event("s", config))
    first = Planned(id="s-000", number=0, why="baseline", config=config)
    assert driver.begin(first)
    assert driver.begin(Planned(id="s-001", number=1, why="sampled", config=config))  # side by side
    report = {"epoch": 1, "metrics": {"val/accuracy": 0.5}, "seconds": {"total": 1.0}}
    driver.report("s-000", {"epoch": 1, "reports": [report]})
    driver.complete("s-000")
    assert not driver.begin(Planned(id="s-002", number=2, why="sampled", config=config))
    assert driver.search.trials["s-002"].taken == "s-000"


@pytest.mark.parametrize("text", ["history=a,b", "history=[a,b]", "history=[a, b]"])
def test_a_list_may_be_written_without_brackets(text: str) -> None:
    assert parse(RunConfig, [text]).history == ["a", "b"]
