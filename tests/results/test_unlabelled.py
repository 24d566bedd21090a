"""Scores on unlabelled test images in the tournament: worlds in which they are right, and wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from results.forecast.methods import AGREEMENT, BEST_AGREEMENT, CONFIDENCE, RANKINGS, Model
from results.leaderboard.leaderboard import Leaderboard
from results.metrics import METRICS
from results.reporting.trust_report import trust_page, trust_table
from results.stats.correlation import gaussian_copula
from results.trust.assessment import assess
from results.trust.band import BandRule, Validated
from results.trust.evidence import CONVINCING, evidence
from results.trust.trust import Trust
from results.trust.unlabelled import Unlabelled, unlabelled_scores
from results.trust.witnesses import Score
from tests.results.test_forecast import CLASSES, HOLDOUT, TEST, relatives, votes

Array = np.ndarray[Any, Any]
ACCURACY = METRICS["accuracy"]


def assessed(models: Sequence[Model], truth: Array, points: float = 100, **rest: Any) -> Trust:
    """Trust where every model was scored on the true labels of the test images."""
    candidates = [Validated(id=m.id, probabilities=m.holdout) for m in models]
    scores = [
        Score(trial=m.id, value=ACCURACY.score(truth, m.test), images=len(truth)) for m in models
    ]
    told = unlabelled_scores(models)
    rule = BandRule(points=points)
    return assess(
        ACCURACY, models[0].labels, candidates, scores, rule=rule, unlabelled=told, **rest
    )


def page(trust: Trust) -> str:
    return " ".join("\n".join(trust_page(trust, "c", ACCURACY, HOLDOUT)).split())


def model(name: str, labels: Array, holdout: Array, test: Array) -> Model:
    return Model(id=name, fold=0, kin=name, labels=labels, holdout=holdout, test=test)


def misled(seed: int = 0) -> tuple[list[Model], Array]:
    """Models whose skill on the hold-out says nothing of that on the test images."""
    rng = np.random.default_rng(seed)
    here, there = rng.integers(0, CLASSES, HOLDOUT), rng.integers(0, CLASSES, TEST)
    easy, hard = rng.normal(0, 1.5, HOLDOUT), rng.normal(-1, 1.5, TEST)
    skills = np.linspace(0, 2.5, 14)
    models = [
        model(f"m{i}", here, votes(rng, here, easy, held), votes(rng, there, hard, skill))
        for i, (held, skill) in enumerate(zip(rng.permutation(skills), skills, strict=True))
    ]
    return models, there


def short_cut() -> tuple[list[Model], Array]:
    """Models that see a short cut in two of five test images, the worse the more often."""
    rng = np.random.default_rng(1)
    here, there = rng.integers(0, CLASSES, HOLDOUT), rng.integers(0, CLASSES, TEST)
    easy, marked = rng.normal(0, 1.5, HOLDOUT), rng.random(TEST) < 0.4
    models = []
    for i, skill in enumerate(np.linspace(0.5, 2.5, 14)):
        taken = marked & (rng.random(TEST) < 1.2 - skill / 2.5)
        told = np.where(taken, (there + 1) % CLASSES, there)
        test = votes(rng, told, np.where(taken, 4.0, 1.0), 1.5)
        models.append(model(f"m{i}", here, votes(rng, here, easy, skill), test))
    return models, there


def test_what_is_right_gets_in_force_and_says_what_it_is(tmp_path: Path) -> None:
    models, truth = misled()
    trust = assessed(models, truth)
    assert [c.name for c in trust.contenders] == ["plain", *RANKINGS]
    assert trust.ranked_by is not None
    own = trust.ranked_by.values
    assert list(trust.band) == sorted(own, key=lambda i: -own[i])
    by_holdout = max(models, key=lambda m: m.accuracy).id
    assert trust.public[trust.band[0]] > trust.public[by_holdout] + 5
    told = page(trust)
    assert f"In force is {trust.chosen} on unlabelled test images" in told
    assert trust.ranked_by.warning in told
    assert "<- in force" in told
    leaderboard = Leaderboard(path=tmp_path / "l")
    table = trust_table(trust, leaderboard, ACCURACY, {m.id: m.accuracy for m in models})
    assert table[AGREEMENT].notna().all()


def test_the_hold_out_stays_where_it_is_as_good() -> None:
    """No score is in force for chance's sake, and one that was trusted is not replaced."""
    replaced = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        labels, easy = rng.integers(0, CLASSES, 300), rng.normal(0, 1.5, 300)
        skills = rng.normal(1, 0.3, 12)
        models = [
            model(f"m{i}", labels, votes(rng, labels, easy, s), votes(rng, labels, easy, s))
            for i, s in enumerate(skills)
        ]
        replaced += assessed(models, labels).ranked_by is not None
    assert replaced <= 1
    right, truth = misled()
    assert assessed(right, truth, frozen="plain").ranked_by is None


def test_a_family_in_the_majority_does_not_get_its_best_agreement_in_force() -> None:
    models, truth = relatives(8, 6)
    trust = assessed(models, truth)
    by_name = {c.name: c for c in trust.contenders}
    assert by_name[BEST_AGREEMENT].tau.value < 0
    assert trust.chosen == "plain"
    forced = assessed(models, truth, frozen=BEST_AGREEMENT)
    assert forced.band[0] in {f"m{i}" for i in range(8)}  # the worse ones
    assert "Agreement rewards conformity: if similar models are the majority" in page(forced)


def test_a_short_cut_that_the_leaderboard_sees_does_not_get_in_force() -> None:
    models, truth = short_cut()
    trust = assessed(models, truth)
    assert trust.chosen == "plain"
    by_name = {c.name: c for c in trust.contenders}
    assert by_name["plain"].tau.value > 0.8
    assert by_name[CONFIDENCE].tau.value < 0
    gain = by_name[CONFIDENCE].advantage
    assert gain is not None
    assert gain.high < 0
    forced = page(assessed(models, truth, frozen=CONFIDENCE))
    assert "Confidence rewards self-assurance" in forced


def test_it_ranks_what_competes_on_the_hold_out_and_brings_in_no_other() -> None:
    """Three broken models agree with each other in all they say."""
    models, truth = misled()
    rng = np.random.default_rng(2)
    here, there = (rng.integers(0, CLASSES, n) for n in (HOLDOUT, TEST))
    shares = [np.eye(CLASSES)[t] * 0.8 + 0.04 for t in (here, there)]
    broken = [model(f"broken{i}", models[0].labels, shares[0], shares[1]) for i in range(3)]
    trust = assessed([*models, *broken], truth, points=40)
    assert trust.ranked_by is not None
    best = next(u for u in unlabelled_scores([*models, *broken]) if u.name == BEST_AGREEMENT)
    assert best.values["broken0"] == 1
    forced = assessed([*models, *broken], truth, points=40, frozen=BEST_AGREEMENT)
    assert set(forced.band) == {m.id for m in models}
    assert forced.validation["broken0"] == pytest.approx(100 * broken[0].accuracy)


def test_scores_on_the_hold_out_s_scale_keep_their_order() -> None:
    plain = {"a": 90.0, "b": 88.0, "c": 86.0, "import": 87.0, "out": 40.0}
    score = Unlabelled(name=AGREEMENT, values={"a": 0.1, "b": 0.2, "c": 0.6, "out": 0.9})
    found = score.points(plain, ["a", "b", "c", "import"])
    assert found["a"] < found["b"] < found["c"]
    band = [found[i] for i in "abc"]
    assert (np.mean(band), np.std(band)) == pytest.approx((88, np.std([90, 88, 86])))
    assert (found["import"], found["out"]) == (87, 40)
    same = Unlabelled(name=AGREEMENT, values=dict.fromkeys("abc", 0.5))
    assert same.points(plain, ["a", "b", "c"]) == plain


def test_scores_that_say_nothing_cost_some_evidence() -> None:
    """E is the average over seven scores, four of which are noise: 64 % instead of 78 are
    convinced after 10 public scores, 94 instead of 97 after 15."""
    skill, public = gaussian_copula(np.random.default_rng(1), 150, 15, 0.75)
    noise = np.random.default_rng(2).normal(size=(4, *skill.shape))
    convinced: dict[int, list[bool]] = {10: [], 15: []}
    for row, scores in enumerate(public):
        grown = [evidence(v, scores) for v in (skill[row], *noise[:, row])]
        mean = (3 * grown[0] + np.sum(grown[1:], axis=0)) / 7
        for count, found in convinced.items():
            found.append(bool(mean[:count].max() >= CONVINCING))
    assert 0.5 < np.mean(convinced[10]) < 0.75
    assert np.mean(convinced[15]) > 0.88


def test_a_model_without_one_is_no_witness_and_stays_in_the_band() -> None:
    """A model made elsewhere, whose skill on the test images speaks against the score."""
    models, truth = misled()
    alone = assessed(models, truth)
    foreign = model("import", models[0].labels, models[-1].holdout, models[0].test)
    candidates = [Validated(id=m.id, probabilities=m.holdout) for m in (*models, foreign)]
    scores = [
        Score(trial=m.id, value=ACCURACY.score(truth, m.test), images=TEST)
        for m in (foreign, *models)
    ]
    trust = assess(
        ACCURACY,
        foreign.labels,
        candidates,
        scores,
        rule=BandRule(points=100),
        unlabelled=unlabelled_scores(models),
    )
    assert trust.chosen == alone.chosen
    assert "import" in trust.band
    gains = [[c.advantage for c in t.contenders if c.name == AGREEMENT] for t in (alone, trust)]
    assert gains[0] == gains[1]
