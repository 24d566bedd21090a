"""Forecasts of what several models predict together, on constructed predictions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from results.forecast.ensembles import Part, estimated_ensemble
from results.forecast.forecast import forecast
from results.forecast.methods import CONFIDENCE, Model
from results.metrics import METRICS
from results.reporting.forecast_report import forecast_page, forecast_table

Array = np.ndarray[Any, Any]
ACCURACY = METRICS["accuracy"]
CLASSES, FOLDS, HOLDOUT, TEST = 5, 4, 300, 2000


def told(rng: np.random.Generator, seen: Array, own: float) -> Array:
    """Probabilities of a model that sees what others see, and something of its own besides."""
    logits = 2 * (seen + own * rng.normal(size=seen.shape))
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def world(seed: int, shift: float, own: float, kinds: int = 1) -> tuple[list[Part], Array]:
    """Configurations that were trained on all but one fold each, and the test labels.

    Test images are less clear by ``shift``, and what models see of their own by ``own``.
    """
    rng = np.random.default_rng(seed)

    def images(count: int, shift: float) -> tuple[Array, Array]:
        labels = rng.integers(0, CLASSES, count)
        clear = rng.uniform(0, 5, (count, 1)) * (1 - shift)
        return labels, clear * np.eye(CLASSES)[labels] + rng.normal(size=(count, CLASSES))

    truth, there = images(TEST, shift)
    folds = [images(HOLDOUT, 0.0) for _ in range(FOLDS)]
    parts = []
    for kind in range(kinds):
        trainings = [
            Model(
                id=f"k{kind}-{fold}",
                fold=fold,
                kin=f"k{kind}",
                labels=labels,
                holdout=told(rng, here, own),
                test=told(rng, there, own),
            )
            for fold, (labels, here) in enumerate(folds)
        ]
        parts.append(Part(weight=1 / kinds, trainings=trainings))
    return parts, truth


def merged(parts: list[Part]) -> Array:
    means = [np.mean([m.test for m in p.trainings], axis=0) for p in parts]
    return np.asarray(np.mean(means, axis=0))


def out_of_fold(parts: list[Part]) -> float:
    labels = np.concatenate([m.labels for m in parts[0].trainings])
    held = [np.concatenate([m.holdout for m in p.trainings]) for p in parts]
    return ACCURACY.score(labels, np.mean(held, axis=0))


@pytest.mark.parametrize("kinds", [1, 3])
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_the_test_score_of_an_ensemble_is_told_without_labels(shift: float, kinds: int) -> None:
    inside, off, naive = [], [], []
    for seed in range(6):
        parts, truth = world(seed, shift, own=0.5, kinds=kinds)
        test, oof = merged(parts), out_of_fold(parts)
        models = [m for p in parts for m in p.trainings]
        ensemble = estimated_ensemble("p1", oof, test, 1, parts)
        expected = forecast(ACCURACY, models, None, [ensemble]).models["p1"]
        score = ACCURACY.score(truth, test)
        assert expected.holdout == oof
        inside.append(expected.low <= score <= expected.high)
        off.append(abs(expected.score - score))
        naive.append(abs(oof - score))
    assert np.mean(inside) >= 0.8
    assert np.mean(off) < 0.04
    if shift:
        assert np.mean(naive) > 3 * np.mean(off)


def test_merging_gains_where_models_differ_and_nothing_where_they_are_one() -> None:
    parts, truth = world(0, 0.3, own=1.0)
    alone = parts[0].trainings[0]
    one = Part(weight=1, trainings=[alone, replace(alone, fold=1)])
    single = estimated_ensemble("p1", 0.0, alone.test, 1, [Part(weight=1, trainings=[alone])])
    twice = estimated_ensemble("p1", 0.0, alone.test, 1, [one])
    assert twice.accuracies == pytest.approx(single.accuracies)
    test = merged(parts)
    gains = [
        estimated_ensemble("p1", 0.0, answers, 1, parts).accuracies[CONFIDENCE]
        for answers in (test, alone.test)
    ]
    right = [ACCURACY.score(truth, answers) for answers in (test, alone.test)]
    assert gains[0] - gains[1] == pytest.approx(right[0] - right[1], abs=0.03)
    assert gains[0] - gains[1] > 0.02


def test_all_folds_are_more_evidence_than_one_and_seeds_of_a_fold_are_not() -> None:
    parts, _ = world(0, 0.0, own=1.0)
    first, *others = parts[0].trainings

    def margin(trainings: list[Model]) -> float:
        part = Part(weight=1, trainings=trainings)
        return estimated_ensemble("p1", 0.0, first.test, 1, [part]).margin

    assert margin([first, *others]) == pytest.approx(margin([first]) / FOLDS**0.5, rel=0.1)
    assert margin([first, replace(first, id="seed 1")]) == pytest.approx(margin([first]), rel=0.02)


def test_labels_alone_promise_nothing() -> None:
    parts, _ = world(0, 0.0, own=1.0, kinds=2)
    certain = [replace(m, certain=True) for m in parts[1].trainings]
    mixed = [parts[0], Part(weight=0.5, trainings=certain)]
    ensemble = estimated_ensemble("b001", 0.9, merged(parts), 1, mixed)
    assert not ensemble.accuracies
    found = forecast(ACCURACY, [*parts[0].trainings], None, [ensemble])
    assert "b001" not in found.models


def test_the_page_shows_ensembles_first_and_scores_correct_single_models() -> None:
    parts, truth = world(1, 0.3, own=1.0)
    test, models = merged(parts), list(parts[0].trainings)
    ensembles = [
        estimated_ensemble(name, out_of_fold(parts), test, 1, parts)
        for name in ("p1", "p2", "b001")
    ]
    public = {m.id: ACCURACY.score(truth, m.test) - 0.2 for m in models[:3]}
    public["p1"] = 0.4
    plain = forecast(ACCURACY, models, None, ensembles)
    found = forecast(ACCURACY, models, public, ensembles)
    assert found.scored == 3
    assert found.models["k0-3"].score < plain.models["k0-3"].score - 0.1
    assert found.models["p2"] == plain.models["p2"]
    assert plain.gap == forecast(ACCURACY, models).gap
    scored = public | {"p2": 0.4, "b001": 0.4}
    assert forecast(ACCURACY, models, scored, ensembles).models["p2"] == plain.models["p2"]
    alone = forecast(ACCURACY, [], public, ensembles)
    assert alone.models["p1"] == plain.models["p1"]
    assert forecast_page(alone, "cats", ACCURACY, public)[0].endswith(
        "expected of 0 models and 3 ensembles of several folds"
    )
    page = forecast_page(found, "cats", ACCURACY, public)
    rows = [line.split() for line in page if line.startswith(("p", "b0", "k0-"))]
    assert [row[:2] for row in rows[:3]] == [[e.id, "several"] for e in ensembles]
    assert len(rows) == len(ensembles) + len(models)
    table = forecast_table(found, public).set_index("model")
    assert table.loc["p1", "fold"] == "several"


def test_what_ranks_are_worth_is_told_by_the_models_probabilities() -> None:
    """Ranks within a class are no probabilities: labels drawn from them would say too little."""
    metric, rare = METRICS["roc_auc"], []
    for seed in range(3):
        parts, truth = world(seed, 0.0, own=0.5)
        test = merged(parts)
        ranks = (test.argsort(axis=0).argsort(axis=0) + 1) / (len(test) + 1)
        shares = ranks / ranks.sum(axis=1, keepdims=True)
        told = estimated_ensemble("b001", 0.9, shares, 1, parts, probable=False)
        assert told.likely is not told.test
        expected = forecast(metric, [], None, [told]).models["b001"]
        rare.append(abs(expected.score - metric.score(truth, shares)))
    assert np.mean(rare) < 0.03
