"""Verdicts and regret in simulated contests."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from results.leaderboard.leaderboard import Leaderboard
from results.metrics import METRICS
from results.reporting.figures import trust_scatter
from results.reporting.trust_report import trust_page, trust_table
from results.trust.assessment import assess
from results.trust.band import BandRule, Validated, competitive_band
from results.trust.regret import expected_regret
from results.trust.validation import PLAIN, weighted_to_test
from results.trust.verdict import FEWEST
from results.trust.witnesses import Score
from tests.simulations import ACCURACY, contest, predictions


def test_without_skill_differences_the_verdict_is_indistinguishable() -> None:
    verdicts = [contest(seed, 0.0, 0.0)[0].verdict for seed in range(60)]
    assert verdicts.count("indistinguishable") >= 54
    assert verdicts.count("trusted") == 0


def test_regret_lies_within_its_interval() -> None:
    inside = []
    for seed in range(60):
        trust, true = contest(seed, 0.1, 0.05 if seed % 2 else 0.15)
        inside.append(trust.regret.low - 0.05 <= true <= trust.regret.high + 0.05)
    assert np.mean(inside) >= 0.93 - 2 * (0.05 * 0.95 / 60) ** 0.5


def test_regret_is_calibrated_in_the_model_s_own_worlds() -> None:
    rng = np.random.default_rng(0)
    inside, expected, true = [], [], []
    for _ in range(80):
        n, rho = 12, rng.uniform(-0.5, 0.95)
        a, b = rng.uniform(0.2, 2, 2)
        z = rng.normal(size=(2, n))
        skill = 70 + b * (rho * z[0] + np.sqrt(1 - rho**2) * z[1])
        v = 90 + a * z[0] + 0.4 * rng.normal(size=n)
        public = skill + 0.5 * rng.normal(size=n)
        public[rng.permutation(n)[8:]] = np.nan
        found = expected_regret(v, np.full(n, 0.4), public, np.full(n, 0.5))
        regret = skill.max() - skill[np.argmax(v)]
        inside.append(found.low <= regret <= found.high)
        expected.append(found.expected)
        true.append(regret)
    assert np.mean(inside) >= 0.93 - 2 * (0.05 * 0.95 / 80) ** 0.5
    assert np.mean(expected) == pytest.approx(np.mean(true), rel=0.35)


def test_a_shifted_leaderboard_is_not_trusted_and_an_equal_one_has_more_evidence() -> None:
    good = [contest(s, 0.3, 0.0, trials=24, scored=20)[0] for s in range(8)]
    bad = [contest(s, 0.3, 0.6, trials=24, scored=20)[0] for s in range(8)]
    assert np.median([t.evidence for t in good]) > 20
    assert np.median([t.evidence for t in bad]) < np.median([t.evidence for t in good])
    assert np.mean([t.regret.chance for t in bad]) > np.mean([t.regret.chance for t in good])
    assert "trusted" not in {t.verdict for t in bad}


def test_few_scores_are_not_enough_and_something_is_proposed() -> None:
    trust, _ = contest(0, 0.1, 0.1, scored=3)
    assert trust.verdict == "not enough evidence"
    assert trust.following in trust.band
    assert trust.following not in trust.public
    assert trust.predicted is not None
    assert trust.predicted.low < trust.predicted.value < trust.predicted.high
    page = trust_page(trust, "c", ACCURACY, 400)
    assert len(page) <= 24
    assert "Not enough evidence" in "\n".join(page)


def test_what_would_settle_it_does_settle_it() -> None:
    """Where so many more submissions are said to suffice, they do in about half of the worlds."""
    kept = []
    for seed in range(16):
        trust, _ = contest(seed, 0.2, 0.0, trials=20, scored=3)
        if trust.to_settle is not None:
            assert trust.to_settle >= FEWEST - 3
            later, _ = contest(seed, 0.2, 0.0, trials=20, scored=3 + trust.to_settle)
            kept.append(later.verdict != "not enough evidence")
    assert len(kept) >= 8
    assert np.mean(kept) >= 0.3


def test_broken_trials_are_no_evidence() -> None:
    """Ten broken trials far below two working ones: tau is high, E does not move."""
    rng = np.random.default_rng(0)
    labels, easy = rng.integers(0, 3, 400), rng.normal(-1.2, 1, 400)
    skills = [0.5, 0.48, *np.linspace(-1.5, -0.5, 10)]
    found = [predictions(rng, labels, easy, s) for s in skills]
    candidates = [Validated(id=str(i), probabilities=p) for i, p in enumerate(found)]
    values = [ACCURACY.score(labels, p) for p in found]
    rule = BandRule()
    broken = [rule.broken(100 * (max(values) - v)) for v in values]
    assert broken == [False] * 2 + [True] * 10
    scores = [
        Score(trial=str(i), value=v, images=1000, broken=b)
        for i, (v, b) in enumerate(zip(values, broken, strict=True))
    ]
    trust = assess(ACCURACY, labels, candidates, scores)
    assert trust.tau.value > 0.8
    assert trust.counted == 2
    assert trust.evidence < 2
    every = [Score(trial=s.trial, value=s.value, images=1000) for s in scores]
    assert assess(ACCURACY, labels, candidates, every).evidence > 20


def test_the_best_of_many_public_scores_flatters() -> None:
    """Without skill differences the best public score owes all to chance, and the page says so."""
    trust, _ = contest(3, 0.0, 0.0, trials=20, scored=20)
    assert trust.flattery > 1
    assert trust.used_often
    assert "were used to choose" in "\n".join(trust_page(trust, "c", ACCURACY, 400))
    few, _ = contest(3, 0.0, 0.0, trials=20, scored=6)
    assert not few.used_often


def test_scores_that_are_all_the_same_are_told_instead_of_a_tau() -> None:
    rng = np.random.default_rng(0)
    labels, easy = rng.integers(0, 3, 400), rng.normal(-1.2, 1, 400)
    candidates = [
        Validated(id=str(i), probabilities=predictions(rng, labels, easy, s))
        for i, s in enumerate(np.linspace(0, 0.3, 6))
    ]
    scores = [Score(trial=str(i), value=0.5, images=1000) for i in range(6)]
    trust = assess(ACCURACY, labels, candidates, scores)
    page = "\n".join(trust_page(trust, "c", ACCURACY, 400))
    assert "all public scores are the same and rank nothing: no tau" in page
    assert "nan" not in page
    figure = trust_scatter(trust, ACCURACY)
    assert figure.axes[0].get_title() == "all 6: no tau"


def test_a_wider_band_holds_more() -> None:
    rng = np.random.default_rng(0)
    labels, easy = rng.integers(0, 3, 1000), rng.normal(-1.2, 1, 1000)
    found = [predictions(rng, labels, easy, s) for s in np.linspace(0, -1, 12)]
    candidates = [Validated(id=str(i), probabilities=p) for i, p in enumerate(found)]
    sizes = [
        len(competitive_band(ACCURACY, labels, candidates, rule=BandRule(points=p, errors=0))[0])
        for p in (1, 3, 10, 40)
    ]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1] == 12


def test_a_better_validation_is_found_and_orders_the_band() -> None:
    """Half of the hold-out is of a kind that the test set does not have, and misleads."""
    rng = np.random.default_rng(5)
    n, trials = 1200, 16
    labels, easy = rng.integers(0, 3, n), rng.normal(-1.2, 1, n)
    kind = np.arange(n) < n // 2
    skills, misleading = rng.normal(0, 0.35, trials), rng.normal(0, 0.7, trials)
    found = []
    for a, b in zip(skills, misleading, strict=True):
        p = predictions(rng, labels, easy, a)
        p[kind] = predictions(rng, labels, easy, b)[kind]
        found.append(p)
    candidates = [Validated(id=str(i), probabilities=p) for i, p in enumerate(found)]
    others, hard = rng.integers(0, 3, 4000), rng.normal(-0.6, 1, 4000)
    scores = [
        Score(
            trial=str(i),
            value=ACCURACY.score(others, predictions(rng, others, hard, s)),
            images=4000,
        )
        for i, s in enumerate(skills)
    ]
    to_test = weighted_to_test(np.where(kind, 0.05, 1.95))
    trust = assess(
        ACCURACY, labels, candidates, scores, rule=BandRule(), validations=[PLAIN, to_test]
    )
    assert trust.chosen == "test-weighted"
    assert trust.contenders[1].tau.value > trust.contenders[0].tau.value + 0.2
    by = [to_test.of(ACCURACY).score(labels, found[int(i)]) for i in trust.band]
    assert by == sorted(by, reverse=True)
    frozen = assess(
        ACCURACY, labels, candidates, scores, validations=[PLAIN, to_test], frozen="plain"
    )
    assert frozen.chosen == "plain"
    page = "\n".join(trust_page(trust, "c", ACCURACY, n))
    assert "test-weighted" in page
    assert "<- in force" in page


def test_what_ranks_better_and_not_all_have_is_told_and_not_in_force() -> None:
    """A score under a stress, under which four of the trials have not predicted."""
    rng = np.random.default_rng(5)
    labels, easy = rng.integers(0, 3, 400), rng.normal(-1.2, 1, 400)
    skills = rng.normal(0, 0.02, 24)
    candidates = [
        Validated(id=str(i), probabilities=predictions(rng, labels, easy, s))
        for i, s in enumerate(skills)
    ]
    scores = [Score(trial=str(i), value=0.6 + s, images=4000) for i, s in enumerate(skills[:20])]
    knows = {str(i): float(s) for i, s in enumerate(skills[4:], 4)}
    noise = dict(zip(knows, rng.normal(size=20).tolist(), strict=True))
    watched = {"stress": knows, "another": noise}
    trust = assess(ACCURACY, labels, candidates, scores, rule=BandRule(points=100), watched=watched)
    assert trust.chosen == "plain"
    by_skill = sorted(knows, key=lambda i: -knows[i])
    assert trust.leaders == {"stress": tuple(by_skill[:3])}
    page = "\n".join(trust_page(trust, "c", ACCURACY, 400))
    assert f"by it: {', '.join(by_skill[:3])} (search.promote" in " ".join(page.split())
    assert "of those that have it" in page
    # The more scores are watched, the more one of them has to be ahead.
    alone = assess(ACCURACY, labels, candidates, scores, watched={"stress": knows})
    assert alone.watched[0].advantage is not None
    assert trust.watched[0].advantage is not None
    assert alone.watched[0].advantage.low > trust.watched[0].advantage.low


def test_the_worth_of_a_score() -> None:
    """Where validation was seen to rank, a worse trial is not worth submitting; a scored one
    never is."""
    v = np.linspace(90, 80, 12)
    public = v - 20
    public[[1, 10]] = np.nan
    found = expected_regret(v, np.full(12, 0.3), public, np.full(12, 0.5))
    assert found.worth[0] == found.worth[5] == 0
    assert found.worth[1] > 10 * found.worth[10]


def test_the_band_is_competitive() -> None:
    rng = np.random.default_rng(0)
    labels, easy = rng.integers(0, 3, 1000), rng.normal(-1.2, 1, 1000)
    skills = [0.0, -0.02, -0.05, -1.5]
    found = [predictions(rng, labels, easy, s) for s in skills]
    candidates = [Validated(id=str(i), probabilities=p) for i, p in enumerate(found)]
    candidates.sort(key=lambda c: -ACCURACY.score(labels, c.probabilities))
    band, error = competitive_band(ACCURACY, labels, candidates)
    assert {c.id for c in band} == {"0", "1", "2"}
    assert 0.3 < error < 2


def test_a_metric_to_minimise_keeps_its_sign(tmp_path: Any) -> None:
    rng = np.random.default_rng(1)
    metric = METRICS["log_loss"]
    labels, easy = rng.integers(0, 3, 300), rng.normal(-1.2, 1, 300)
    found = [predictions(rng, labels, easy, s) for s in (0.3, 0.2, 0.1, 0.0, -0.1, -0.2)]
    candidates = [Validated(id=str(i), probabilities=p) for i, p in enumerate(found)]
    candidates.sort(key=lambda c: metric.score(labels, c.probabilities))
    best = metric.score(labels, candidates[0].probabilities)
    scores = [
        Score(trial=c.id, value=metric.score(labels, c.probabilities) + 0.1, images=500)
        for c in candidates[1:]
    ]
    trust = assess(metric, labels, candidates, scores)
    assert trust.tau.value == pytest.approx(1)
    assert trust.line.offset == pytest.approx(-10)
    plain = {c.id: metric.score(labels, c.probabilities) for c in candidates}
    table = trust_table(trust, Leaderboard(path=tmp_path / "l"), metric, plain)
    assert table["validation"].iloc[0] == pytest.approx(best)


def test_a_thousand_trials_take_seconds() -> None:
    """Not a timed claim: a guard against something quadratic. 1,000 trials, 10,000 images."""
    rng = np.random.default_rng(0)
    labels, easy = rng.integers(0, 3, 10_000), rng.normal(-1.2, 1, 10_000)
    pool = [predictions(rng, labels, easy, s).astype(np.float32) for s in rng.normal(0, 0.1, 50)]
    candidates = [Validated(id=str(i), probabilities=pool[i % 50]) for i in range(1000)]
    candidates.sort(key=lambda c: -ACCURACY.score(labels, c.probabilities))
    scores = [Score(trial=c.id, value=rng.random(), images=3000) for c in candidates[:50]]
    begun = time.process_time()
    assess(ACCURACY, labels, candidates, scores)
    assert time.process_time() - begun < 60


def test_without_a_candidate_there_is_no_band() -> None:
    band, error = competitive_band(ACCURACY, np.zeros(3, np.int64), [])
    assert band == []
    assert error > 0
