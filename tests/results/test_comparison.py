"""Claims about winners, in simulated searches over stored predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from results.metrics import METRICS
from results.records.trials import Search
from results.reporting.report import report
from results.stats.comparison import compare
from results.stats.optimism import winner_optimism
from results.stats.sequential import nominal_levels, spent
from tests.regenerate_docs import RECORDED

CLASSES = 5
SEEDS = 3
Array = np.ndarray[Any, Any]


def trained(
    rng: np.random.Generator, labels: Array, difficulty: Array, skill: float, shared: Array
) -> Array:
    """Predictions of one training: right with a chance that falls with the image's difficulty.

    ``shared`` is noise that all trainings have in common, so that models err on the same images;
    skill varies with the seed, too.
    """
    chance = skill + rng.normal(0, 0.15)
    noise = 0.7 * shared + 0.7 * rng.normal(size=len(labels))
    right = chance + noise > difficulty
    wrong = (labels + rng.integers(1, CLASSES, len(labels))) % CLASSES
    return np.asarray(np.eye(CLASSES)[np.where(right, labels, wrong)] * 0.9 + 0.02)


def false_wins(searches: int, controls: int, groups: int = 0) -> float:
    """Share of searches without any difference in which a win is claimed.

    In each, 16 equal trials compete on one set of images; the best is confirmed on another.
    """
    wins = 0
    for seed in range(searches):
        rng = np.random.default_rng(seed)
        images = 300
        group = np.sort(rng.integers(0, groups, images)) if groups else np.arange(images)
        labels = rng.integers(0, CLASSES, images)
        difficulty = rng.normal(-1.0, 0.7, images)
        if groups:
            difficulty += rng.normal(0, 0.7, groups)[group]
        shared = rng.normal(size=images)
        # The winner is one of equals: choosing it on other images changes nothing here.
        arms = [
            [trained(rng, labels, difficulty, 0.0, shared) for _ in range(SEEDS)]
            for _ in range(1 + controls)
        ]
        named = {str(i): arm for i, arm in enumerate(arms[1:])}
        found = compare(
            METRICS["macro_f1"],
            labels,
            arms[0],
            named,
            SEEDS,
            group.astype(str) if groups else None,
            seed,
        )
        wins += any(c.verdict == "beats" for c in found)
    return wins / searches


@pytest.mark.parametrize(("controls", "groups"), [(1, 0), (3, 0), (2, 60)])
def test_equal_trials_claim_a_win_in_at_most_five_percent(controls: int, groups: int) -> None:
    searches = 120
    share = false_wins(searches, controls, groups)
    # 5 % and three binomial standard errors of the simulation itself
    assert share <= 0.05 + 3 * (0.05 * 0.95 / searches) ** 0.5


def test_a_real_difference_is_found() -> None:
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, CLASSES, 400)
        difficulty, shared = rng.normal(-1.0, 0.7, 400), rng.normal(size=400)
        ours = [trained(rng, labels, difficulty, 1.0, shared) for _ in range(SEEDS)]
        theirs = [trained(rng, labels, difficulty, 0.0, shared) for _ in range(SEEDS)]
        (result,) = compare(METRICS["macro_f1"], labels, ours, {"control": theirs}, SEEDS)
        found += result.verdict == "beats"
        assert result.gain == pytest.approx(100 * (result.candidate_score - result.control_score))
        (back,) = compare(METRICS["macro_f1"], labels, theirs, {"control": ours}, SEEDS)
        assert (back.verdict, back.seeds) == ("not ahead of", 1)
        assert back.gain < 0
    assert found >= 19


def test_one_seed_claims_nothing() -> None:
    """Neither that the candidate wins nor by how much it may lose; it may say that it is enough."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, 200)
    good, bad = (np.eye(CLASSES)[(labels + (rng.random(200) < p)) % CLASSES] for p in (0.1, 0.9))
    (ahead,) = compare(METRICS["accuracy"], labels, [good], {"a": [bad]}, SEEDS)
    (behind,) = compare(METRICS["accuracy"], labels, [bad], {"a": [good]}, SEEDS)
    assert ahead.verdict == behind.verdict == "not ahead of"
    assert ahead.margin is behind.margin is None
    assert (ahead.open, behind.open) == (True, False)
    with pytest.raises(ValueError, match="at least one seed"):
        compare(METRICS["accuracy"], labels, [], {"a": [good]}, SEEDS)


def test_what_was_settled_early_stays_as_it_was() -> None:
    """Further seeds, trained for another control's sake, do not reopen a comparison."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, 400)
    difficulty, shared = rng.normal(-1.0, 0.7, 400), rng.normal(size=400)
    ours = [trained(rng, labels, difficulty, 0.0, shared) for _ in range(SEEDS)]
    better = [trained(rng, labels, difficulty, 1.0, shared) for _ in range(SEEDS)]
    (early,) = compare(METRICS["accuracy"], labels, ours[:1], {"c": better[:1]}, SEEDS)
    (late,) = compare(METRICS["accuracy"], labels, ours, {"c": better}, SEEDS)
    assert early == late
    assert not early.open


def test_levels_of_looks_add_up_to_what_may_err() -> None:
    rng = np.random.default_rng(0)
    for image_share in (0.0, 0.5, 0.99):
        information = 1 / (image_share + (1 - image_share) * SEEDS / np.arange(2, SEEDS + 1))
        errors = spent(0.025, SEEDS)
        steps = np.diff(information, prepend=0.0) ** 0.5
        paths = np.cumsum(rng.normal(size=(400_000, SEEDS - 1)) * steps, axis=1)
        found = nominal_levels(errors, information)
        crossed = paths / information**0.5 > stats.norm.isf(found)
        for look, error in enumerate(errors, start=1):
            assert crossed[:, :look].any(axis=1).mean() == pytest.approx(error, rel=0.06)
        assert (found <= 0.025 * 1.01).all()


def test_a_metric_that_resamples_leave_undefined_claims_nothing() -> None:
    """One group per class: almost no resample has them all, and none may decide alone."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(12), 5)
    groups = labels.astype(str)
    arms = [[rng.dirichlet(np.ones(12), 60)] * 2 for _ in range(2)]
    assert compare(METRICS["roc_auc"], labels, arms[0], {"c": arms[1]}, SEEDS, groups) == []
    assert winner_optimism(METRICS["roc_auc"], labels, [arms[0][0], arms[1][0]], groups) is None


def test_groups_widen_the_intervals() -> None:
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(40), 8)
    labels = rng.integers(0, CLASSES, 320)
    easy = rng.normal(0.0, 0.3, 320)
    # the models differ group by group
    ours = [
        trained(rng, labels, easy + rng.normal(0, 1.5, 40)[group], 1.0, np.zeros(320))
        for _ in range(2)
    ]
    theirs = [trained(rng, labels, easy, -0.5, np.zeros(320)) for _ in range(2)]
    metric = METRICS["accuracy"]
    plain = compare(metric, labels, ours, {"c": theirs}, 2)[0]
    grouped = compare(metric, labels, ours, {"c": theirs}, 2, group.astype(str))[0]
    assert plain.margin is not None
    assert grouped.margin is not None
    assert grouped.margin > plain.margin


@pytest.mark.parametrize("name", ["macro_f1", "log_loss"])
def test_the_winners_optimism_is_near_the_true_one(name: str) -> None:
    metric = METRICS[name]
    estimated, true = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        labels, fresh = rng.integers(0, CLASSES, 200), rng.integers(0, CLASSES, 20_000)
        easy, far = rng.normal(-1, 0.7, 200), rng.normal(-1, 0.7, 20_000)
        skills = rng.normal(0, 0.15, 20)
        trials = [trained(rng, labels, easy, s, np.zeros(200)) for s in skills]
        scores = [metric.score(labels, p) for p in trials]
        best = int(np.argmax(scores) if metric.direction == "maximize" else np.argmin(scores))
        again = trained(rng, fresh, far, float(skills[best]), np.zeros(20_000))
        true.append(metric.gain(scores[best], metric.score(fresh, again)))
        optimism = winner_optimism(metric, labels, trials, seed=seed)
        assert optimism is not None
        estimated.append(optimism)
    error = np.std(np.subtract(true, estimated)) / len(true) ** 0.5
    # The seed of each training is noise of its own that resampled images cannot show; here it is
    # part of the skill that wins, so the estimate may stay below, never far above.
    assert np.mean(estimated) > 0.2 * np.mean(true)
    assert np.mean(estimated) < np.mean(true) + 3 * error


def test_a_wide_interval_after_two_seeds_is_explained() -> None:
    search = Search.read(RECORDED)
    assert search.summary is not None
    closed = search.summary
    for seeds, margin, explained in ((2, 21.2, True), (2, 1.5, False), (3, 21.2, False)):
        told = {"verdict": "indistinguishable from", "margin": margin, "seeds": seeds}
        one = closed.comparisons[0].model_copy(update={**told, "gain": 4.0, "open": False})
        search.summary = closed.model_copy(update={"comparisons": (one,)})
        assert ("so ± is wide" in "\n".join(report(search))) == explained
