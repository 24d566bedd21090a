"""Blends: recipes, their nested judgement, and what may be blended."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from results.ensemble.blend import (
    Choice,
    best_partners,
    choose,
    error_correlation,
    judge,
    paired_gain,
)
from results.ensemble.class_bias import (
    BIASES,
    confusion_scores,
    counts_labels_only,
    fit_class_biases,
)
from results.ensemble.out_of_fold import OutOfFold
from results.ensemble.recipes import BY_CLASS, MERGES, RANKED
from results.ensemble.stack import PredictionStack
from results.ensemble.view_costs import ViewCosts
from results.masks.merging import Blend, apply_class_biases
from results.masks.metrics import MASK_METRICS
from results.masks.pixels import pixel_metric
from results.metrics import METRICS, Metric
from results.predictions import Predictions
from results.reporting.blend_report import blend_page
from results.tasks.tasks import TASKS
from spaces.errors import InputError

CLASSES = ("a", "b", "c")


def stack(
    labels: NDArray[np.int64],
    oof: Sequence[NDArray[np.floating]],
    folds: int = 5,
    groups: NDArray[np.str_] | None = None,
) -> PredictionStack:
    n = len(labels)
    return PredictionStack(
        names=tuple(f"m{i}" for i in range(len(oof))),
        images=tuple(map(str, range(n))),
        labels=labels,
        folds=np.arange(n) % folds,
        groups=groups,
        oof=np.stack(oof).astype(np.float32),
    )


def softmax(z: NDArray[np.floating]) -> NDArray[np.float64]:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def model(
    rng: np.random.Generator, labels: NDArray[np.int64], skill: float, classes: int = 3
) -> NDArray[np.float64]:
    z = rng.normal(size=(len(labels), classes))
    z[np.arange(len(labels)), labels] += skill
    return softmax(z)


def test_the_honest_score_of_useless_models_is_chance() -> None:
    """In sample, weights and biases fitted to noise look good; nested, they are worth nothing."""
    metric, worlds = METRICS["accuracy"], 40
    honest: dict[str, list[float]] = {}
    in_sample: dict[str, list[float]] = {}
    for seed in range(worlds):
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, 4, 200)
        useless = [model(rng, labels, 0.0, classes=4) for _ in range(12)]
        for name, judged in judge(metric, stack(labels, useless)).items():
            honest.setdefault(name, []).append(judged.honest - 0.25)
            in_sample.setdefault(name, []).append(judged.in_sample - 0.25)
    for name, off in honest.items():
        error = np.std(off) / worlds**0.5
        assert abs(np.mean(off)) < 2.5 * error, (name, np.mean(off), error)
    for name in ("best single", "weighted", "mean + biases", "weighted + biases"):
        excess = np.array(in_sample[name])
        assert excess.mean() > 3 * excess.std() / worlds**0.5, name
        assert excess.mean() > 0.01


def test_choosing_among_recipes_is_paid_for() -> None:
    """What is expected of the chosen recipe is chance, too, when all are useless."""
    metric, off = METRICS["accuracy"], []
    for seed in range(40):
        rng = np.random.default_rng(100 + seed)
        labels = rng.integers(0, 4, 200)
        models = stack(labels, [model(rng, labels, 0.0, classes=4) for _ in range(6)])
        off.append(choose(metric, models, judge(metric, models)).expected.value - 0.25)
    assert abs(np.mean(off)) < 2.5 * np.std(off) / len(off) ** 0.5


def test_greedy_weights_leave_useless_models_out() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 600)
    good = [model(rng, labels, 1.5), model(rng, labels, 1.5)]
    models = stack(labels, [*good, *(model(rng, labels, 0.0) for _ in range(6))])
    judged = judge(METRICS["accuracy"], models)
    weights = judged["weighted"].blend.weights
    assert sum(weights) == pytest.approx(1)
    assert sum(weights[:2]) > 0.7
    assert judged["weighted"].honest > judged["mean"].honest
    choice = choose(METRICS["accuracy"], models, judged)
    assert choice.chosen.startswith("weighted")
    assert choice.gain > 2 * choice.noise
    assert choice.expected.low < choice.expected.value < choice.expected.high


def test_the_mean_stays_unless_beaten_beyond_noise() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 300)
    models = stack(labels, [model(rng, labels, 1.5) for _ in range(3)])
    judged = judge(METRICS["macro_f1"], models)
    assert choose(METRICS["macro_f1"], models, judged).chosen == "mean"
    assert choose(METRICS["macro_f1"], models, judged, "vote").chosen == "vote"
    with pytest.raises(InputError, match="did you mean geometric"):
        choose(METRICS["macro_f1"], models, judged, "geometrc")


def test_metrics_of_probabilities_get_no_biases() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 300)
    models = stack(labels, [model(rng, labels, 1.5) for _ in range(3)])
    for name in ("log_loss", "roc_auc"):
        judged = judge(METRICS[name], models)
        assert not any("biases" in recipe for recipe in judged)
        assert np.isfinite([r.honest for r in judged.values()]).all()
    # Lower is better: three models of equal skill blend to a smaller loss than the best of them.
    losses = judge(METRICS["log_loss"], models)
    assert losses["mean"].honest < losses["best single"].honest


def test_ranks_repair_models_on_different_scales() -> None:
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 2, 400)
    one = model(rng, labels, 1.5, classes=2)
    squeezed = model(rng, labels, 1.5, classes=2)
    squeezed[:, 1] = squeezed[:, 1] ** 8  # the same order on another scale
    squeezed[:, 0] = 1 - squeezed[:, 1]
    judged = judge(METRICS["roc_auc"], stack(labels, [one, squeezed]))
    assert judged["rank"].honest > judged["mean"].honest


@pytest.mark.parametrize(
    ("metric", "changes", "words"),
    [
        ("accuracy", {"tested": 20}, "20 test images are too few to rank"),
        ("log_loss", {}, "log loss is of probabilities"),
        ("accuracy", {"images": ("x",) * 60}, "masks are ranked image by image"),
    ],
)
def test_ranks_are_refused_where_folds_do_not_tell_what_they_are_worth(
    metric: str, changes: dict[str, Any], words: str
) -> None:
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 3, 60)
    whole = stack(labels, [model(rng, labels, 1.0) for _ in range(2)])
    few = dataclasses.replace(whole, **changes)
    found = judge(METRICS[metric], few)
    assert set(judge(METRICS["accuracy"], whole)) - set(found) >= {"rank"}
    with pytest.raises(InputError, match=f"recipe=rank cannot be judged by folds: {words}"):
        choose(METRICS[metric], few, found, "rank")
    choice = choose(METRICS[metric], few, found)
    page = blend_page("c", METRICS[metric], few, choice, error_correlation(few), {}, {}, False)
    assert f"without rank: {words}" in "\n".join(page)


def test_ranks_among_a_handful_are_worth_less_than_folds_tell() -> None:
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 3, 3000)
    block = np.stack([model(rng, labels, 1.5) for _ in range(3)]).astype(np.float32)
    ranks = Blend(recipe="rank", merge="rank", weights=(1 / 3,) * 3)

    def accuracy(together: int) -> float:
        parts = [ranks.apply(block[:, i : i + together]) for i in range(0, 3000, together)]
        return METRICS["accuracy"].score(labels, np.concatenate(parts))

    assert accuracy(10) < accuracy(RANKED) - 0.02
    assert accuracy(RANKED) > accuracy(1000) - 0.01


@pytest.mark.parametrize("merge", MERGES)
def test_merged_rows_are_probabilities(merge: str) -> None:
    rng = np.random.default_rng(3)
    block = np.stack([softmax(rng.normal(size=(50, 4))) for _ in range(3)]).astype(np.float32)
    found = Blend(recipe=merge, merge=merge, weights=(0.5, 0.5, 0.0)).apply(block)  # type: ignore[arg-type]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    other = block.copy()
    other[2] = rng.random((50, 4))
    same = Blend(recipe=merge, merge=merge, weights=(0.5, 0.5, 0.0)).apply(other)  # type: ignore[arg-type]
    np.testing.assert_array_equal(found, same)  # a model without weight has no say
    if merge == "geometric":
        expected = np.sqrt(block[0] * block[1])
        np.testing.assert_allclose(found, expected / expected.sum(axis=1, keepdims=True), rtol=1e-4)


@pytest.mark.parametrize("name", ["accuracy", "macro_f1", "balanced_accuracy", "quadratic_kappa"])
def test_confusion_matrices_carry_the_score(name: str) -> None:
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 3, 200)
    p = model(rng, labels, 1.0)
    counts = np.zeros((1, 3, 3), np.int64)
    np.add.at(counts[0], (labels, p.argmax(axis=1)), 1)
    assert counts_labels_only(METRICS[name], labels, p)
    assert confusion_scores(METRICS[name], counts)[0] == pytest.approx(
        METRICS[name].score(labels, p)
    )
    assert not counts_labels_only(METRICS["log_loss"], labels, p)


def test_the_bias_of_two_classes_is_the_best_threshold() -> None:
    rng = np.random.default_rng(5)
    labels = (rng.random(500) < 0.1).astype(np.int64)
    p = model(rng, labels, 1.2, classes=2)
    metric = METRICS["macro_f1"]
    biases = fit_class_biases(metric, labels, p)
    found = metric.score(labels, apply_class_biases(p, biases))
    by_hand = [metric.score(labels, apply_class_biases(p, np.array([0, b]))) for b in BIASES]
    assert found >= max(by_hand) - 1e-12
    assert found > metric.score(labels, p) + 0.02


def test_classes_that_are_right_already_get_no_bias() -> None:
    labels = np.arange(60) % 3
    assert not fit_class_biases(METRICS["accuracy"], labels, np.eye(3)[labels] * 0.8 + 0.1).any()


def test_whom_to_blend_with() -> None:
    rng = np.random.default_rng(6)
    labels = rng.integers(0, 3, 900)
    first = model(rng, labels, 1.5)
    copy = softmax(np.log(first) + 0.05 * rng.normal(size=first.shape))
    stranger = model(rng, labels, 1.4)
    models = stack(labels, [first, copy, stranger])
    correlations = error_correlation(models)
    assert correlations[0, 1] > 0.95
    assert correlations[0, 2] < 0.3
    partner, gain = best_partners(METRICS["accuracy"], models)["m0"]
    assert partner == "m2"
    assert gain > 1


def test_the_best_of_many_partners_is_worth_what_any_equal_is() -> None:
    """Sixteen equal models: the largest gain was 0.3 to 1.3 points too much."""
    said, pairs, singles = [], [], []
    accuracy = METRICS["accuracy"]
    for seed in range(24):
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, 3, 500)
        models = stack(labels, [model(rng, labels, 1.0) for _ in range(16)])
        said += [gain for _, gain in best_partners(accuracy, models).values()]
        rows = models.judged
        p = models.oof[:, rows]
        singles += [accuracy.score(labels[rows], x) for x in p]
        pairs += [
            accuracy.score(labels[rows], (p[i] + p[j]) / 2) for i in range(16) for j in range(i)
        ]
    assert abs(np.mean(said) - 100 * (np.mean(pairs) - np.mean(singles))) < 0.5


def pixels_of(
    seed: int, knows: Sequence[tuple[bool, ...]], n: int = 6000
) -> tuple[Metric, PredictionStack]:
    """Pixels, 50 of an image, and models whose probability of a class tells it, or is noise."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, n, p=[0.7, 0.25, 0.05])
    oof = []
    for known in knows:
        told = 0.3 + 0.4 * np.eye(3)[labels] + rng.normal(0, 0.15, (n, 3))
        shares = np.where(known, np.clip(told, 0.01, 1), rng.uniform(0, 1, (n, 3)))
        oof.append(shares / shares.sum(axis=1, keepdims=True))
    images = tuple(str(i // 50) for i in range(n))
    folds = np.arange(n) // 50 % 5
    made = dataclasses.replace(
        stack(labels, oof), images=images, groups=np.array(images), folds=folds
    )
    return pixel_metric(MASK_METRICS["mean_iou"], 3, range(3)), made


def test_another_model_for_every_class_where_each_has_its_own() -> None:
    """The one knows the large class, the other the small one; nested, that is worth points."""
    metric, models = pixels_of(0, [(True, True, False), (True, False, True)])
    found = judge(metric, models)
    assert metric.gain(found[BY_CLASS].honest, found["weighted"].honest) > 5
    weights = np.array(found[BY_CLASS].blend.by_class)
    assert weights.shape == (2, 3)
    np.testing.assert_allclose(weights.sum(axis=0), 1)
    assert weights[0, 1] == weights[1, 2] == 1
    merged = found[BY_CLASS].blend.apply(models.oof)
    np.testing.assert_allclose(merged.sum(axis=1), 1, atol=1e-5)
    by_hand = np.einsum("mc,mnc->nc", weights, models.oof)
    assert (by_hand.argmax(axis=1) == merged.argmax(axis=1)).mean() > 0.999


def test_models_that_are_alike_gain_nothing_by_class() -> None:
    """Nested, what a class seems to gain in sample is gone."""
    gains, flattered = [], []
    for seed in range(12):
        metric, models = pixels_of(seed, [(True, True, True)] * 4, n=1500)
        found = judge(metric, models)
        gains.append(metric.gain(found[BY_CLASS].honest, found["weighted"].honest))
        flattered.append(metric.gain(found[BY_CLASS].in_sample, found["weighted"].in_sample))
    assert np.mean(gains) < 0.2
    assert np.mean(flattered) >= np.mean(gains)


def test_only_pixels_are_weighted_by_class() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 100)
    images = stack(labels, [model(rng, labels, 1.0) for _ in range(2)])
    assert BY_CLASS not in judge(METRICS["accuracy"], images)


def test_paired_gain_of_a_model_over_itself_is_nothing() -> None:
    rng = np.random.default_rng(6)
    labels = rng.integers(0, 3, 100)
    p = model(rng, labels, 1.0).astype(np.float32)
    assert paired_gain(METRICS["accuracy"], labels, p, p) == (0.0, 0.0)


def test_the_page_has_every_recipe_and_the_choice() -> None:
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 3, 200)
    models = stack(labels, [model(rng, labels, 1.0) for _ in range(25)])
    metric = METRICS["accuracy"]
    choice: Choice = choose(metric, models, judge(metric, models))
    page = "\n".join(
        blend_page(
            "birds",
            metric,
            models,
            choice,
            error_correlation(models),
            {"m0": {"m1": "hflip", "m2": "scale_0.75"}, "m3": {"m4": "hflip"}},
            {"m0": ViewCosts(seconds=0.02, views={"hflip": 1.0, "scale_0.75": 0.5625})},
            False,
        )
    )
    assert "on the 160 of folds 1 to 4" in page
    assert "… and 5 more" in page
    table = page[page.index("m0 with the mean of") :].splitlines()
    for line, words in zip(table[1:4], ("hflip", "scale_0.75", "its 2 views"), strict=True):
        assert line.startswith(words)
    for line, cost in zip(table[1:4], (100, 56.25, 156.25), strict=True):
        found = re.search(r"([+-][\d.]+) points +[\d.]+ +([\d.]+) +\+(\d+) % +([+-][\d.]+)$", line)
        assert found is not None, line
        gain, ms, more, each = map(float, found.groups())
        assert ms == pytest.approx(20 * (1 + cost / 100), rel=0.01)
        assert more == round(cost)
        assert each == pytest.approx(gain / (cost / 100), abs=0.02)
    unknown = page[page.index("m3 with the mean of") :].splitlines()[1]
    assert re.fullmatch(r"hflip +[+-][\d.]+ points +[\d.]+", unknown.strip())
    for recipe in choice.recipes:
        assert f"\n{recipe} " in page


def member(
    images: tuple[str, ...] = ("x", "y"), classes: tuple[str, ...] = CLASSES, fold: int = 1
) -> tuple[OutOfFold, Predictions]:
    n = len(images)
    p = np.full((n, len(classes)), 1 / len(classes), np.float32)
    oof = OutOfFold(
        predictions=Predictions.of_classes(images=images, classes=classes, probabilities=p),
        labels=np.zeros(n, np.int64),
        folds=np.full(n, fold),
        groups=None,
        count=5,
    )
    return oof, Predictions.of_classes(images=("t",), classes=classes, probabilities=p[:1])


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (member(images=("x", "z")), "other images: b lacks 1"),
        (member(images=("x",)), "b lacks 1"),
        (member(images=("y", "x")), "in another order"),
        (member(classes=("a", "b", "d")), "differ in classes: in c, d"),
        (member(classes=("b", "a", "c")), "differ in classes: in their order"),
        (member(fold=2), "trained on other folds"),
    ],
)
def test_models_that_cannot_be_blended(other: tuple[OutOfFold, Predictions], words: str) -> None:
    with pytest.raises(InputError, match=words):
        PredictionStack.of({"a": member(), "b": other}, TASKS["classification"])


def test_one_model_is_no_blend_and_test_images_have_to_be_the_same() -> None:
    with pytest.raises(InputError, match="at least two models, got a"):
        PredictionStack.of({"a": member()}, TASKS["classification"])
    oof, test = member()
    assert test.images == ("t",)
    elsewhere = Predictions.of_classes(
        images=("u",), classes=CLASSES, probabilities=test.probabilities
    )
    with pytest.raises(InputError, match="b predicts other test images than a"):
        PredictionStack.of({"a": (oof, test), "b": (oof, elsewhere)}, TASKS["classification"])
    found = PredictionStack.of({"a": (oof, test), "b": (oof, None)}, TASKS["classification"])
    assert found.oof.shape == (2, 2, 3)
