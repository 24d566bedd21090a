"""Worlds of other makers that refuted a figure once: each holds its bound now."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from results.ensemble.out_of_fold import OutOfFold, headline
from results.metrics import METRICS, Metric
from results.predictions import Predictions
from results.records.trials import Search
from results.reporting.report import report
from results.stats.optimism import winner_optimism
from results.trust.assessment import assess
from results.trust.band import Validated, as_good, competitive_band
from results.trust.evidence import CONVINCING, evidence
from results.trust.families import families
from results.trust.regret import expected_regret
from results.trust.witnesses import Score
from tests.simulations import confirmation, trainings

Array = np.ndarray[Any, Any]
MACRO_F1, ACCURACY = METRICS["macro_f1"], METRICS["accuracy"]


def predicted(rng: np.random.Generator, labels: Array, easy: Array, classes: int) -> Array:
    """Predictions that are right with each image's own chance."""
    right = rng.random(len(labels)) < easy
    told = np.where(right, labels, (labels + rng.integers(1, classes, len(labels))) % classes)
    return np.asarray(np.eye(classes, dtype=np.float32)[told])


def imbalanced(rng: np.random.Generator, images: int, classes: int) -> Array:
    """Labels of classes whose sizes fall like 1 / rank."""
    shares = 1 / np.arange(1, classes + 1)
    return rng.choice(classes, images, p=shares / shares.sum())


def test_nothing_to_choose_flatters_nobody() -> None:
    """Two identical trials, 80 imbalanced classes, 300 images: it said 3 points."""
    found = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        labels = imbalanced(rng, 300, 80)
        trial = predicted(rng, labels, np.full(300, 0.7), 80)
        found.append(winner_optimism(MACRO_F1, labels, [trial, trial], seed=seed))
    assert max(f for f in found if f is not None) < 1e-9


@pytest.mark.parametrize("trials", [4, 16])
def test_rare_classes_do_not_count_as_optimism(trials: int) -> None:
    """Equal trials on 300 images of 80 imbalanced classes: it said 4.1 to 4.7 instead of 1.7."""
    told, true = [], []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        labels = imbalanced(rng, 300, 80)
        easy = rng.beta(7, 3, 300)
        found = [predicted(rng, labels, easy, 80) for _ in range(trials)]
        scores = [MACRO_F1.score(labels, p) for p in found]
        # All are equal: on other images of the same number the winner is the mean.
        true.append(100 * (max(scores) - np.mean(scores)))
        told.append(winner_optimism(MACRO_F1, labels, found, seed=seed, draws=200))
    assert all(t is not None for t in told)
    off = np.subtract(np.array(told, float), true)
    assert abs(off.mean()) < 0.5


def promoted(labels: Array, probabilities: Array, groups: Array | None) -> OutOfFold:
    """Out-of-fold predictions of five folds."""
    n = len(labels)
    return OutOfFold(
        predictions=Predictions.of_classes(
            images=tuple(map(str, range(n))),
            classes=tuple(map(str, range(probabilities.shape[1]))),
            probabilities=probabilities,
        ),
        labels=labels,
        folds=np.arange(n) % 5 if groups is None else np.unique(groups, return_inverse=True)[1] % 5,
        groups=groups,
        count=5,
    )


def coverage(metric: Metric, worlds: int, classes: int, groups: int) -> float:
    """How often the interval given these models holds what they score on average on such images.

    Groups of 30 differ in how hard they are; without groups, classes are as rare as 1 / rank.
    """
    n = 750

    def world(rng: np.random.Generator) -> tuple[Array, Array]:
        if not groups:
            labels = imbalanced(rng, n, classes)
            return labels, predicted(rng, labels, np.full(n, 0.7), classes)
        labels = rng.integers(0, classes, n)
        skill = np.repeat(rng.normal(1.0, 1.0, groups), n // groups)
        return labels, predicted(rng, labels, 1 / (1 + np.exp(-skill)), classes)

    group = np.repeat(np.arange(groups), n // groups).astype(str) if groups else None
    told, scores = [], []
    for seed in range(worlds):
        labels, p = world(np.random.default_rng(seed))
        oof = promoted(labels, p, group)
        told.append(headline(metric, oof).given_models)
        scores.append(told[-1].value)
    truth = float(np.mean(scores))
    return float(np.mean([t.low <= truth <= t.high for t in told]))


def test_intervals_hold_for_few_groups() -> None:
    """25 groups of 30 images; quantiles of the bootstrap cover less."""
    assert coverage(ACCURACY, 300, 5, 25) >= 0.925


def test_intervals_hold_for_rare_classes() -> None:
    """80 imbalanced classes; quantiles of the bootstrap cover 83 %, with all misses above."""
    assert coverage(MACRO_F1, 200, 80, 0) >= 0.9


def test_folds_that_raced_are_not_in_the_headline() -> None:
    """Folds 1 and 2 chose among 12 equal trials: their scores would flatter the winner."""
    raised = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, 4, 500)
        arms = [predicted(rng, labels, np.full(500, 0.7), 4) for _ in range(12)]
        raced = np.isin(np.arange(500) % 5, (1, 2))
        best = max(arms, key=lambda p: ACCURACY.score(labels[raced], p[raced]))
        told = headline(ACCURACY, promoted(labels, best, None), (0, 1, 2))
        assert told.images == 200
        raised.append(100 * (told.score - 0.7))
    error = np.std(raised) / len(raised) ** 0.5
    assert abs(np.mean(raised)) < 3 * error
    with_them = headline(ACCURACY, promoted(labels, best, None))
    assert with_them.images == 400


def test_a_band_that_the_public_cannot_tell_apart_is_not_equal() -> None:
    """Hold-out 2,000, no shift: the cheapest of the band lost 1.6 points, the best of it 0.11."""
    lost_best, lost_cheapest, lost_band = [], [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, 5, 2000)
        skills = 0.85 + 0.015 * rng.normal(size=16)
        trials = [
            Validated(id=str(i), probabilities=predicted(rng, labels, np.full(2000, s), 5))
            for i, s in enumerate(skills)
        ]
        trials.sort(key=lambda t: -ACCURACY.score(labels, t.probabilities))
        band, _ = competitive_band(ACCURACY, labels, trials)
        near = as_good(ACCURACY, labels, band)
        assert near[0] == band[0].id
        cost = rng.random(16)

        def loss(i: str, skills: Array = skills) -> float:
            return 100 * float(skills.max() - skills[int(i)])

        lost_best.append(loss(band[0].id))
        lost_cheapest.append(loss(min(near, key=lambda i: cost[int(i)])))
        lost_band.append(loss(min((c.id for c in band), key=lambda i: cost[int(i)])))
    assert np.mean(lost_cheapest) < np.mean(lost_best) + 0.3
    assert np.mean(lost_band) > np.mean(lost_cheapest) + 0.8


def test_a_perfect_hold_out_has_a_verdict() -> None:
    """One trial without any error alone in the band: its standard error is 0."""
    labels = np.arange(300) % 3
    perfect = np.eye(3, dtype=np.float32)[labels]
    poor = np.eye(3, dtype=np.float32)[(labels + (np.arange(300) % 2)) % 3]
    trials = [Validated(id="a", probabilities=perfect), Validated(id="b", probabilities=poor)]
    scores = [Score(trial="a", value=0.99, images=300), Score(trial="b", value=0.5, images=300)]
    told = assess(ACCURACY, labels, trials, scores)
    assert told.band == ("a",)
    assert told.verdict == "not enough evidence"
    assert np.isfinite(told.public_error)
    assert told.posterior_best == "a"


def test_trials_that_were_stopped_early_are_counted_among_the_chosen() -> None:
    """The best of 8 that ran to the end of 48: it said 2.0 points and left out the other 40."""
    assets = Path(__file__).parent.parent / "assets" / "search"
    page = "\n".join(report(Search.read(assets)))
    assert "as the best of 5 on the same images; or more, since 11 others" in page


def test_a_choice_among_trials_that_were_stopped_is_told_as_one() -> None:
    """Where one alone ran to its end, there is nothing to estimate from what it flatters itself."""
    search = Search.read(Path(__file__).parent.parent / "assets" / "search")
    assert search.summary is not None
    alone = search.summary.model_copy(update={"optimism": None})
    page = "\n".join(report(dataclasses.replace(search, summary=alone)))
    assert "cannot be told: it was chosen over 11 others that were stopped" in page


@pytest.mark.parametrize("world", ["all equal", "the winner's seeds × 6", "the controls' × 6"])
def test_confirmations_claim_nothing_where_there_is_nothing(world: str) -> None:
    """Stopping when it looks settled, however unlike one another the arms' seeds vary."""
    worlds = 150
    told = [confirmation(seed, world) for seed in range(worlds)]
    wins = sum(any(c.verdict == "beats" for c in found) for found in told) / worlds
    assert wins <= 0.05 + 1.65 * (0.05 * 0.95 / worlds) ** 0.5
    spent = np.mean([trainings(found) for found in told])
    assert spent <= 0.6 * 3 * 4  # of three seeds of the winner and three controls


def test_large_gains_are_claimed() -> None:
    told = [confirmation(seed, "a gain of 14 points") for seed in range(40)]
    assert np.mean([any(c.verdict == "beats" for c in found) for found in told]) >= 0.8
    assert any(c.seeds == 2 for found in told for c in found if c.verdict == "beats")
    assert all(
        c.margin is not None and (c.gain > c.margin) == (c.verdict == "beats")
        for found in told
        for c in found
        if c.seeds > 1
    )


def related(seed: int, shared: float) -> tuple[Array, Array, Array, list[Array], Array]:
    """24 submissions of 3 families; what makes a family good is luck, and so is all within it.

    Args:
        seed: Of the world.
        shared: Standard deviation of what a family shares of its errors, of 0.8 in all.

    Returns:
        Validation scores, public scores, families, predictions, labels.
    """
    rng = np.random.default_rng(seed)
    family = rng.integers(0, 3, 24)
    labels, difficulty = rng.integers(0, 5, 400), rng.normal(-1, 0.8, 400)
    common, skill, public = rng.normal(size=(3, 400)), rng.normal(0, 0.3, 3), rng.normal(0, 3, 3)
    models = []
    for f in family:
        own = (0.8**2 - shared**2) ** 0.5 * rng.normal(size=400)
        right = skill[f] + rng.normal(0, 0.1) + shared * common[f] + own > difficulty
        wrong = (labels + rng.integers(1, 5, 400)) % 5
        models.append(np.eye(5)[np.where(right, labels, wrong)])
    validation = np.array([ACCURACY.score(labels, p) for p in models])
    return validation, public[family] + rng.normal(0, 0.8, 24), family, models, labels


def test_relatives_are_no_further_witnesses() -> None:
    """Three families with luck of their own passed as evidence in 14 of 100 contests."""
    alone, true, found = 0, 0, 0
    worlds = 150
    for seed in range(worlds):
        validation, public, family, models, labels = related(seed, 0.55)
        alone += bool(evidence(validation, public).max() >= CONVINCING)
        true += bool(evidence(validation, public, family).max() >= CONVINCING)
        sorted_in = families(labels, models)
        found += bool(evidence(validation, public, sorted_in).max() >= CONVINCING)
    bound = 0.05 + 1.65 * (0.05 * 0.95 / worlds) ** 0.5
    assert alone / worlds > bound
    assert true / worlds <= bound
    assert found / worlds <= bound


def test_families_are_those_that_err_alike() -> None:
    hits, strangers = [], []
    for seed in range(10):
        _, _, family, models, labels = related(seed, 0.7)
        pair = np.triu_indices(24, 1)
        same, found = (f[pair[0]] == f[pair[1]] for f in (family, families(labels, models)))
        hits.append(found[same].mean())
        strangers.append(found[~same].mean())
    assert np.mean(hits) > 0.8
    assert np.mean(strangers) < 0.05
    rng = np.random.default_rng(0)
    labels, hard = rng.integers(0, 5, 400), rng.normal(-1, 1, 400)
    independent = [predicted(rng, labels, 1 / (1 + np.exp(hard)), 5) for _ in range(16)]
    assert len(set(families(labels, independent).tolist())) >= 14
    assert families(labels, independent[:1]).tolist() == [0]


@pytest.mark.parametrize(("shift", "most"), [(0.0, 0.3), (1.0, 0.05)])
def test_regret_without_shift_is_not_talked_up(shift: float, most: float) -> None:
    """24 trials, 12 scored: the chance of half a point is nearer to how often it comes true."""
    said, true, held = [], [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        skill = rng.normal(0, 1, 24)
        validation = skill + rng.normal(0, 0.7, 24)
        kept = validation > validation.max() - 2.5
        there = (skill + rng.normal(0, shift, 24))[kept]
        public = there + rng.normal(0, 1.0, len(there))
        public[rng.permutation(len(there))[12:]] = np.nan
        ones = np.ones(len(there))
        regret = expected_regret(validation[kept], 0.7 * ones, public, ones, 0.5)
        lost = there.max() - there[validation[kept].argmax()]
        said.append(regret.chance)
        true.append(lost > 0.5)
        held.append(regret.low - 0.05 <= lost <= regret.high + 0.05)
    assert np.mean(said) - np.mean(true) <= most
    assert np.mean(held) >= 0.93
