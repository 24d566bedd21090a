"""Metrics of masks against plain computation per image and pooled, and scikit-learn."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score, jaccard_score

from results.masks.counts import VOID, compare
from results.masks.metrics import MASK_METRICS, NEED_EDGES, class_table
from tests.results.masks.reference import counted, random_masks

CLASSES = 4
Pairs = list[tuple[Any, Any]]


def masks(count: int, seed: int, *, overlapping: bool = False) -> Pairs:
    rng = np.random.default_rng(seed)
    return [random_masks(rng, CLASSES, overlapping=overlapping) for _ in range(count)]


def vectors(pairs: Pairs, background: int | None = 0) -> Any:
    return np.stack([compare(*pair, CLASSES, background) for pair in pairs])


def mean(values: list[float | None], empty: float = float("nan")) -> float:
    there = [v for v in values if v is not None]
    return sum(there) / len(there) if there else empty


def scores(of: str, sums: list[float]) -> list[float | None]:
    """Of each class, None where it is not there."""
    found: list[float | None] = []
    for i in range(2, len(sums), 8):
        both, actual, called, void, edge, near, true_edge, true_near = sums[i : i + 8]
        if of == "boundary_f1":
            if edge + true_edge == 0:
                found.append(None)
                continue
            precision, recall = (
                near / edge if edge else 0.0,
                true_near / true_edge if true_edge else 0.0,
            )
            total = precision + recall
            found.append(2 * precision * recall / total if total else 0.0)
            continue
        part, whole = {
            "iou": (both, actual + called - both),
            "iou_void": (both, actual + called + void - both),
            "dice": (2 * both, actual + called),
            "dice_void": (2 * both, actual + called + void),
        }[of]
        found.append(part / whole if whole else None)
    return found


def reference(name: str, pairs: Pairs, background: int | None = 0) -> Any:
    each = [counted(*pair, CLASSES, background) for pair in pairs]
    sums = [sum(column) for column in zip(*each, strict=True)]
    if name == "pixel_accuracy":
        return sums[0] / sums[1]
    of = name.removeprefix("mean_").removesuffix("_images")
    if name.endswith("_images"):
        return mean([mean(scores(of, one), empty=1.0) for one in each if one[1]])
    return mean(scores(of, sums))


@pytest.mark.parametrize("overlapping", [False, True])
@pytest.mark.parametrize("name", MASK_METRICS)
def test_metrics_are_those_of_counting(name: str, overlapping: bool) -> None:
    """Of sets of one to many images, 1,000 in all with those of the counts."""
    for seed, count in enumerate((1, 1, 1, 3, 30)):
        pairs = masks(count, seed, overlapping=overlapping)
        found = MASK_METRICS[name].score(np.zeros(count, np.int64), vectors(pairs))
        assert found == pytest.approx(reference(name, pairs), abs=1e-12, nan_ok=True), (seed, count)


@pytest.mark.parametrize("name", ["mean_iou", "dice"])
def test_pooled_scores_are_those_of_scikit_learn(name: str) -> None:
    pairs = masks(40, 3)
    truth = np.concatenate([t[t != VOID] for t, _ in pairs])
    called = np.concatenate([p[t != VOID] for t, p in pairs])
    theirs = {"mean_iou": jaccard_score, "dice": f1_score}[name]
    expected = theirs(truth, called, labels=range(CLASSES), average="macro")
    found = MASK_METRICS[name].score(np.zeros(40, np.int64), vectors(pairs, background=None))
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", MASK_METRICS)
def test_a_bootstrap_is_one_matrix_product(name: str) -> None:
    metric, found = MASK_METRICS[name], vectors(masks(20, 1))
    weights = np.random.default_rng(0).multinomial(20, np.full(20, 1 / 20), 5).astype(float)
    labels = np.zeros(20, np.int64)
    batch = metric.weighted(labels, found, weights)
    for row, score in zip(weights, batch, strict=True):
        drawn = np.repeat(np.arange(20), row.astype(int))
        assert score == pytest.approx(metric.score(labels[drawn], found[drawn]), abs=1e-12)


def test_what_is_empty_and_predicted_empty_scores_one_per_image_and_nothing_pooled() -> None:
    empty, full = np.zeros((5, 5), np.uint8), np.ones((5, 5), np.uint8)
    void = np.full((5, 5), VOID, np.uint8)
    one = np.zeros(1, np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nothing = vectors([(empty, empty)])
        assert MASK_METRICS["dice_images"].score(one, nothing) == 1
        assert MASK_METRICS["mean_iou_images"].score(one, nothing) == 1
        assert np.isnan(MASK_METRICS["mean_iou"].score(one, nothing))
        assert np.isnan(MASK_METRICS["boundary_f1"].score(one, nothing))
        missed = vectors([(full, empty), (empty, full), (void, full)])
        assert MASK_METRICS["dice_images"].score(np.zeros(3, np.int64), missed) == 0


def test_the_table_of_classes() -> None:
    truth, predicted = np.zeros((8, 8), np.uint8), np.zeros((8, 8), np.uint8)
    truth[2:6, 2:6] = 1
    predicted[2:6, 2:8] = 1
    predicted[0, 0] = 2
    table = class_table(vectors([(truth, predicted)]).sum(axis=0))
    assert table.iou.tolist()[:2] == [16 / 24, 0]
    assert table.dice.tolist()[:2] == [32 / 40, 0]
    assert table.precision.tolist()[:2] == [16 / 24, 0]
    assert table.recall[0] == 1
    assert np.isnan(table.recall[1])
    assert table.pixels.tolist() == [16, 0, 0]
    assert table.boundary_f1[1] == 0
    assert np.isnan([table.iou[2], table.dice[2], table.boundary_f1[2], table.precision[2]]).all()


@pytest.mark.parametrize("name", MASK_METRICS)
def test_boundaries_are_compared_where_they_count(name: str) -> None:
    pairs = masks(5, 2)
    plain = np.stack([compare(*pair, CLASSES, 0, edges=False) for pair in pairs])
    labels = np.zeros(5, np.int64)
    same = MASK_METRICS[name].score(labels, plain) == MASK_METRICS[name].score(
        labels, vectors(pairs)
    )
    assert same == (name not in NEED_EDGES)
