"""Metrics against scikit-learn, and weights against repeated images."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from results.metrics import METRICS, all_scores, custom_metric
from results.tasks.tasks import task_of
from spaces.errors import InputError

REFERENCE: dict[str, Callable[[Any, Any], float]] = {
    "macro_f1": lambda y, p: sk.f1_score(y, p.argmax(1), average="macro"),
    "accuracy": lambda y, p: sk.accuracy_score(y, p.argmax(1)),
    "balanced_accuracy": lambda y, p: sk.balanced_accuracy_score(y, p.argmax(1)),
    "log_loss": lambda y, p: sk.log_loss(y, p, labels=range(p.shape[1])),
    "roc_auc": lambda y, p: (
        sk.roc_auc_score(y, p[:, 1])
        if p.shape[1] == 2
        else sk.roc_auc_score(y, p, multi_class="ovr")
    ),
    "quadratic_kappa": lambda y, p: sk.cohen_kappa_score(y, p.argmax(1), weights="quadratic"),
}


def sample(classes: int, images: int, seed: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), rng.integers(0, classes, images - classes)])
    logits = rng.normal(size=(images, classes)) + 1.5 * np.eye(classes)[labels]
    shares = np.exp(logits)
    return labels, shares / shares.sum(1, keepdims=True)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", REFERENCE)
@pytest.mark.parametrize("classes", [2, 3, 20])
@pytest.mark.parametrize("seed", range(3))
def test_equal_to_scikit_learn(name: str, classes: int, seed: int) -> None:
    labels, probabilities = sample(classes, 150, seed)
    ours = METRICS[name].score(labels, probabilities)
    assert ours == pytest.approx(REFERENCE[name](labels, probabilities), abs=1e-12)


@pytest.mark.parametrize("name", ["macro_f1", "balanced_accuracy"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_classes_without_images_count_as_in_scikit_learn(name: str) -> None:
    labels, probabilities = sample(6, 40, 0)
    keep = labels != 3
    ours = METRICS[name].score(labels[keep], probabilities[keep])
    theirs = REFERENCE[name](labels[keep], probabilities[keep])
    assert ours == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("name", METRICS)
def test_weights_are_repetitions(name: str) -> None:
    labels, probabilities = sample(3, 60, 1)
    weights = np.random.default_rng(0).integers(1, 4, (5, 60)).astype(float)
    batch = METRICS[name].weighted(labels, probabilities, weights)
    for row, score in zip(weights, batch, strict=True):
        rows = np.repeat(np.arange(60), row.astype(int))
        assert score == pytest.approx(
            METRICS[name].score(labels[rows], probabilities[rows]), abs=1e-12
        )


@pytest.mark.parametrize("name", METRICS)
def test_no_image_has_no_score_and_no_warning(name: str) -> None:
    """As where resampling a few groups leaves none out."""
    labels, probabilities = sample(3, 12, 0)
    weights = np.stack([np.zeros(12), np.ones(12)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nothing, everything = METRICS[name].weighted(labels, probabilities, weights)
    assert np.isnan(nothing)
    assert np.isfinite(everything)


def test_roc_auc_is_left_out_where_a_class_is_missing() -> None:
    labels, probabilities = sample(3, 60, 1)
    keep = labels != 1
    scores = all_scores(labels[keep], probabilities[keep], METRICS.values())
    assert "roc_auc" not in scores
    assert "accuracy" in scores


def test_an_own_metric_needs_a_direction_and_takes_weights() -> None:
    with pytest.raises(InputError, match="direction=maximize"):
        custom_metric("hits", "", lambda y, p: 0.0)  # type: ignore[arg-type]
    own = custom_metric("hits", "maximize", lambda y, p: float((p.argmax(1) == y).mean()))
    labels, probabilities = sample(4, 50, 2)
    weights = np.random.default_rng(1).multinomial(50, np.full(50, 1 / 50), 7).astype(float)
    expected = METRICS["accuracy"].weighted(labels, probabilities, weights)
    np.testing.assert_allclose(own.weighted(labels, probabilities, weights), expected)


def test_an_own_metric_that_needs_every_class_is_undefined_without() -> None:
    def strict(labels: Any, probabilities: Any) -> float:
        if len(set(labels.tolist())) < 3:
            raise ValueError("a class is missing")
        return 1.0

    own = custom_metric("strict", "maximize", strict)
    labels, probabilities = sample(3, 10, 0)
    weights = np.ones((2, 10))
    weights[1, labels == 2] = 0
    found = own.weighted(labels, probabilities, weights)
    assert found[0] == 1.0
    assert np.isnan(found[1])
    with pytest.raises(ValueError, match="missing"):
        own.score(np.zeros(10, np.int64), probabilities)


def test_direction_decides_what_is_better() -> None:
    assert METRICS["accuracy"].gain(0.9, 0.8) == pytest.approx(10)
    assert METRICS["log_loss"].gain(0.9, 0.8) == pytest.approx(-10)
    with pytest.raises(InputError, match="did you mean accuracy"):
        task_of("classification").metric("acuracy")


@pytest.mark.parametrize("name", [n for n, m in METRICS.items() if m.statistics is not None])
def test_a_metric_of_sums_is_one_matrix_product(name: str) -> None:
    """Over weights, resamples and any leading axes, against images that are repeated by hand."""
    metric = METRICS[name]
    assert metric.statistics is not None
    assert metric.reduce is not None
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 60)
    probabilities = rng.dirichlet(np.ones(4), 60)
    statistics = metric.statistics(labels, probabilities)
    assert statistics.dtype == np.float64
    assert len(statistics) == 60
    assert metric.reduce(statistics.sum(axis=0)) == pytest.approx(
        metric.score(labels, probabilities)
    )
    weights = rng.multinomial(60, np.full(60, 1 / 60), size=(2, 3)).astype(np.float64)
    scores = metric.reduce(weights @ statistics)
    assert scores.shape == (2, 3)
    for place in np.ndindex(2, 3):
        drawn = np.repeat(np.arange(60), weights[place].astype(int))
        repeated = metric.score(labels[drawn], probabilities[drawn])
        assert scores[place] == pytest.approx(repeated)
