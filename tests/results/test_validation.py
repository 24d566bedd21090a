"""Ways to score a hold-out: their values, the shift they answer, and how one is chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from results.metrics import METRICS, Metric
from results.trust.image_weights import ImageWeights, weigh_images
from results.trust.tournament import average_evidence, choose, paired_advantage, tournament
from results.trust.validation import PLAIN, class_balanced, weighted_to_test, worst_group
from results.trust.witnesses import Witnesses
from spaces.errors import InputError

ACCURACY, MACRO_F1, LOG_LOSS = (METRICS[n] for n in ("accuracy", "macro_f1", "log_loss"))


def made(n: int = 300, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, n, p=[0.6, 0.3, 0.1])
    return labels, rng.dirichlet(np.ones(3), n) + 0.5 * np.eye(3)[labels]


def test_scores_are_scikit_learn_s() -> None:
    labels, probabilities = made()
    predicted = probabilities.argmax(axis=1)
    share = len(labels) / (3 * np.bincount(labels)[labels])
    balanced = class_balanced(labels).of(ACCURACY).score(labels, probabilities)
    assert balanced == pytest.approx(
        accuracy_score(labels, predicted, sample_weight=share), abs=1e-12
    )
    weights = np.random.default_rng(1).uniform(0.1, 3, len(labels))
    weighted = weighted_to_test(weights).of(MACRO_F1).score(labels, probabilities)
    expected = f1_score(labels, predicted, average="macro", sample_weight=weights)
    assert weighted == pytest.approx(expected, abs=1e-12)
    assert PLAIN.of(ACCURACY) is ACCURACY


@pytest.mark.parametrize("metric", [ACCURACY, LOG_LOSS])
def test_the_worst_group_decides(metric: Metric) -> None:
    labels, probabilities = made()
    groups = np.repeat(["a", "b", "c"], [150, 145, 5])  # the last is too small to count
    probabilities[groups == "b"] = np.roll(probabilities[groups == "b"], 1, axis=1)
    probabilities[groups == "c"] = np.roll(probabilities[groups == "c"], 1, axis=1)
    validation = worst_group(groups)
    assert validation is not None
    b = groups == "b"
    found = validation.of(metric).score(labels, probabilities)
    assert found == pytest.approx(metric.score(labels[b], probabilities[b]))
    drawn = np.ones((2, len(labels)))
    drawn[1, b] = 0  # a resample without it
    without = validation.of(metric).weighted(labels, probabilities, drawn)[1]
    a = groups == "a"
    assert without == pytest.approx(metric.score(labels[a], probabilities[a]))
    assert worst_group(None) is None
    assert worst_group(np.array(["a"] * 300)) is None


def test_weights_recover_the_test_s_mixture(tmp_path: Path) -> None:
    """Three kinds of images: 80, 15 and 5 % of the hold-out, a third each of the test."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 8)) * 3
    here, there = rng.choice(3, 600, p=[0.8, 0.15, 0.05]), rng.choice(3, 900)
    shift = weigh_images(
        centres[here] + rng.normal(size=(600, 8)), centres[there] + rng.normal(size=(900, 8))
    )
    shares = [shift.weights[here == k].sum() / shift.weights.sum() for k in range(3)]
    assert shares == pytest.approx(
        [1 / 3] * 3, abs=0.13
    )  # calibration errs on the side of no shift
    assert 0.6 < shift.auc < 0.9
    assert shift.effective == pytest.approx(shift.weights.sum() ** 2 / (shift.weights**2).sum())
    assert not shift.refusal
    shift.write(tmp_path / "s.json")
    assert (ImageWeights.read(tmp_path / "s.json").weights == shift.weights).all()
    (tmp_path / "s.json").write_text("{")
    with pytest.raises(InputError, match="does not hold weights"):
        ImageWeights.read(tmp_path / "s.json")


def test_alike_sets_keep_their_images_and_foreign_ones_are_refused() -> None:
    rng = np.random.default_rng(1)
    alike = weigh_images(rng.normal(size=(400, 6)), rng.normal(size=(400, 6)))
    assert alike.auc == pytest.approx(0.5, abs=0.06)
    assert alike.effective > 300
    few = weigh_images(rng.normal(size=(60, 6)), rng.normal(size=(400, 6)))
    assert "at least 100 are needed" in few.refusal
    here = rng.normal(size=(2000, 6))
    here[:40] += 6  # one in fifty looks like the test
    foreign = weigh_images(here, rng.normal(size=(500, 6)) + 6)
    assert "effective images of 2,000, at least 200 are needed" in foreign.refusal


def test_whole_groups_are_left_out() -> None:
    """Bursts that a classifier could learn by heart make the sets look different only if an image
    is judged by a classifier that knew its burst."""
    rng = np.random.default_rng(2)
    bursts = np.repeat(np.arange(20), 20)
    centres = rng.normal(size=(20, 10)) * 4
    here = centres[bursts] + 0.1 * rng.normal(size=(400, 10))
    there = rng.normal(size=(400, 10)) * 4
    together = weigh_images(here, there, bursts.astype(str))
    apart = weigh_images(here, there)
    assert together.auc < apart.auc - 0.1
    with pytest.raises(InputError, match="5 groups"):
        weigh_images(here, there, np.array(["a"] * 400))


def witnesses(public: Any, counted: bool = True) -> Witnesses:
    """Submissions that are no relatives."""
    n = len(public)
    return Witnesses(
        trials=tuple(map(str, range(n))),
        public=public,
        images=np.full(n, 1000),
        counted=np.full(n, counted),
        family=np.arange(n),
    )


def test_plain_stays_unless_another_is_surely_better() -> None:
    """Among three others that are just as good, at most 5 % of contests choose one; one that is
    much better is found."""
    rng = np.random.default_rng(3)
    replaced, found = 0, 0
    for _ in range(300):
        skill = rng.normal(size=14)
        public = skill + 0.4 * rng.normal(size=14)
        shared = rng.normal(size=14)

        def another(shared: Any = shared, skill: Any = skill) -> Any:
            return skill + 0.4 * shared + 0.3 * rng.normal(size=14)

        nobody, seen = np.zeros(14, bool), witnesses(public)
        equal = {name: another() for name in ("plain", "a", "b", "c")}
        replaced += choose(tournament(equal, seen, nobody)) != "plain"
        clear = {"plain": skill + 1.5 * rng.normal(size=14), "a": skill}
        found += choose(tournament(clear, seen, nobody)) == "a"
    assert replaced / 300 <= 0.05
    assert found / 300 >= 0.4


def test_the_advantage_is_a_difference_of_taus() -> None:
    rng = np.random.default_rng(4)
    a, b, p = rng.normal(size=(3, 10))
    from scipy.stats import kendalltau

    found = paired_advantage(a, b, p)
    assert found.value == pytest.approx(
        kendalltau(a, p).statistic - kendalltau(b, p).statistic, abs=1e-12
    )
    assert found.low < found.value < found.high
    few = paired_advantage(a[:7], b[:7], p[:7])
    assert (few.low, few.high) == (-2.0, 2.0)


def test_evidence_is_averaged_over_contenders() -> None:
    rng = np.random.default_rng(5)
    p = rng.normal(size=12)
    everybody = np.ones(12, bool)
    noise = rng.normal(size=12)
    good = tournament({"plain": noise, "a": p}, witnesses(p), everybody)
    assert average_evidence(good) == pytest.approx((good[0].evidence + good[1].evidence) / 2)
    none = tournament({"plain": p}, witnesses(p, counted=False), everybody)
    assert none[0].evidence == 1.0
