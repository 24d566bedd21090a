"""What a promotion makes of trials before anything is trained, and what it says afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from results.metrics import METRICS
from results.records.closing import Closed
from results.records.trials import Search
from results.reporting.report import report
from results.reporting.summary import summarise
from results.reporting.trust_report import verdict_words
from results.trust.assessment import assess
from results.trust.band import Validated
from results.trust.witnesses import Score
from search.competition.candidates import Candidate
from search.options.training import PromoteConfig
from search.promotion.arms import promoted_arms
from search.promotion.gate import _refuse
from search.promotion.outputs import light_to_heavy
from spaces.errors import InputError
from tests.records import ended, job_event, opening_event, started

SECONDS = {"feed": 0.1, "transfer": 0.2, "compute": 0.6, "evaluate": 0.1, "total": 1.0}
SECONDS |= {"checkpoint": 2.0, "wait": 0.1}
ASSETS = Path(__file__).parent.parent / "assets/search"


@pytest.fixture
def best() -> list[Candidate]:
    search = Search.read(ASSETS)
    finished = [t for t in search.of("sampled") if t.state == "finished"]
    return [Candidate.of(search, t) for t in finished[:2]]


def test_a_promotion_without_changes_is_the_trial_itself(best: list[Candidate]) -> None:
    arms, parents = promoted_arms(PromoteConfig(), best)
    assert parents == {c.id: c.id for c in best}
    assert arms == {c.id: c.trial.config for c in best if c.trial}


def test_a_list_makes_variants_of_one_trial(best: list[Candidate]) -> None:
    config = PromoteConfig(
        promote={"backbone": ["test_resnet", "test_vit"], "size": [40, 48], "lr": [0.001, 0.002]},
        epochs=5,
    )
    arms, parents = promoted_arms(config, best[:1])
    name = best[0].id
    assert next(iter(arms)) == f"{name}.test_resnet_0.001"
    assert len(arms) == 4
    assert set(parents.values()) == {name}
    for arm in arms.values():
        assert arm.data.size == (40, 48)  # height and width, not two choices
        assert arm.run.epochs == 5
        assert best[0].trial is not None
        assert arm.policy == best[0].trial.config.policy
    with pytest.raises(InputError, match="variants are made of one trial, not of 2"):
        promoted_arms(config, best)
    for wrong in (["test_resnet"], ["test_resnet"] * 7):
        with pytest.raises(InputError, match="2 to 6"):
            promoted_arms(PromoteConfig(promote={"backbone": wrong}), best[:1])


def raced(changes: dict[str, Any], heavy: dict[str, float]) -> Search:
    """A promotion whose trials were trained on fold 1 and, the first, on fold 2."""
    search = Search(folder=Path("p"))
    arms = list(heavy)
    config = Search.read(ASSETS).trials["search-000"].config
    promotion = {
        "arms": {a: config.to_json() for a in arms},
        "parents": {a: a for a in arms},
        "scores": {a: 0.9 - 0.1 * i for i, a in enumerate(arms)},
        "changes": changes,
        "optimism": None,
        "folds": 5,
        "seeds": 1,
        "race": [1, 2],
        "verdict": "trusted",
        "force": "",
    }
    search.apply(opening_event("p", kind="promotion", promotion=promotion))
    runs = [(arm, 1, score) for arm, score in heavy.items()] + [(arms[0], 2, 0.1)]
    for i, (arm, fold, score) in enumerate(runs):
        name = f"p-{i:03d}"
        search.apply(started(name, config.replace(fold=fold), why="fold", arm=arm))
        told = {"epoch": 1, "metrics": {"val/accuracy": score}, "seconds": SECONDS, "images": 9}
        search.apply(job_event("epoch", trial=name, report=told))
        search.apply(ended(name))
    return search


def page(search: Search) -> str:
    costs = summarise(search, METRICS["accuracy"], wall=9.0, tracking=0.1)
    search.apply(Closed(state="finished", **costs, light_to_heavy=light_to_heavy(search)))
    return "\n".join(report(search))


def test_light_and_heavy_are_compared_on_the_folds_that_all_trained() -> None:
    search = raced({"size": 96}, {"a": 0.5, "b": 0.6, "c": 0.7})
    pairs = light_to_heavy(search)
    assert [(p.light, p.heavy) for p in pairs] == [
        (0.9, 0.5),
        (pytest.approx(0.8), 0.6),
        (pytest.approx(0.7), 0.7),
    ]
    assert "over 3 trials, scores before and after the change agree with tau -1.00" in page(search)


def test_trainings_that_all_score_the_same_have_no_order() -> None:
    told = page(raced({"size": 96}, {"a": 0.5, "b": 0.5, "c": 0.5}))
    assert (
        "scores before and after the change have no tau: those of one side are all the same" in told
    )


def test_what_trials_take_beside_their_epochs_is_told() -> None:
    """Of those that were trained in one go: what lies between two attempts is nobody's."""
    search = raced({}, {"a": 0.5, "b": 0.6})
    trials = search.trials
    assert [trials[name].epochs[0].seconds.total for name in trials] == [SECONDS["total"]] * 3
    over = {"p-000": (SECONDS["total"] + 4.0, 1), "p-001": (900.0, 2), "p-002": (0.0, 1)}
    for name, (end, attempts) in over.items():
        trials[name] = replace(trials[name], started=0.0, ended=end, attempts=attempts)
    trials["p-002"] = replace(trials["p-002"], taken="q-000")
    costs = summarise(search, METRICS["accuracy"], wall=9.0, tracking=0.1)
    assert costs["cost"]["trials/beside"] == pytest.approx(4.0)
    told = page(search)
    beside = "4 s to start, write files and predict the test images (checkpoints 4 s)."
    assert f"; besides, trials took {beside}" in told
    shares = "10% feeding, 20% moving to the device, 60% computing, 10% evaluating"
    assert f"training time was {shares}; tracking took" in told


def test_two_trials_are_too_few_to_check() -> None:
    assert "not checked whether trials keep their order" in page(
        raced({"size": 96}, {"a": 0.5, "b": 0.6})
    )
    assert light_to_heavy(raced({}, {"a": 0.5, "b": 0.6, "c": 0.7})) == ()


def test_where_validation_is_not_trusted_the_posterior_best_is_named_and_promoted() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 300)
    trials = [
        Validated(id=name, probabilities=np.eye(3, dtype=np.float32)[told])
        for name, told in {
            "v": np.where(rng.random(300) < 0.9, labels, 0),
            "p": np.where(rng.random(300) < 0.88, labels, 0),
        }.items()
    ]
    scores = [Score(trial="v", value=0.6, images=9000), Score(trial="p", value=0.9, images=9000)]
    told = assess(METRICS["accuracy"], labels, trials, scores)
    assert told.band[0] == "v"
    assert told.posterior_best == "p"
    trust = replace(told, verdict="not trusted")
    assert "Both scores together rank p first." in verdict_words(trust)
    standing: Any = None  # nothing of it is looked at
    with pytest.raises(InputError, match="select=p promotes the one that both"):
        _refuse(PromoteConfig(), standing, trust, [verdict_words(trust)])
    words = [verdict_words(trust)]
    _refuse(PromoteConfig(select="p"), standing, trust, words)
    assert words[-1] == "Both scores together rank p first."
