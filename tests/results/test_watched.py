"""Rare classes: which they are, and what a confirmation tells of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import recall_score

from results.metrics import METRICS
from results.rare_classes import rare_classes, recall_of
from results.records.closing import Watched
from results.records.trials import Search
from results.reporting.report import report
from results.stats.watched import watch
from results.tasks.tasks import TASKS

Array = NDArray[Any]
ASSETS = Path(__file__).parent.parent / "assets" / "search"
LABELS = np.repeat(np.arange(4), [100, 80, 12, 8])


def certain(told: Array) -> Array:
    chances: Array = np.eye(4, dtype=np.float32)[told]
    return chances


def test_rare_is_below_half_of_the_median_class() -> None:
    assert rare_classes(LABELS, 4).tolist() == [3, 2]
    assert rare_classes(np.repeat([0, 1], [900, 100]), 2).tolist() == [1]
    assert rare_classes(np.repeat([0, 1, 2], [50, 40, 30]), 3).tolist() == []


def test_recall_is_pooled_over_the_rare_classes() -> None:
    told = LABELS.copy()
    told[[181, 182, 195]] = 0  # of 20 rare images
    found = recall_of(np.array([2, 3])).score(LABELS, certain(told))
    assert found == pytest.approx(17 / 20)
    one = recall_of(np.array([3])).score(LABELS, certain(told))
    assert one == recall_score(LABELS, told, labels=[3], average="macro")
    assert np.isnan(recall_of(np.array([3])).score(LABELS[:150], certain(told)[:150]))


def test_intervals_hold_what_is_true() -> None:
    """The recall of 30 rare images, of which each is recognised with a chance of 0.7."""
    labels = np.repeat([0, 1], [200, 30])
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        wrong = rng.random(230) > 0.7
        told = np.eye(2)[np.where(wrong, 1 - labels, labels)]
        (w,) = watch({"recall": recall_of(np.array([1]))}, labels, {"winner": [told]})
        assert (w.images, w.seeds) == (30, 1)
        held += w.low <= 0.7 <= w.high
    assert held >= 88


def test_seeds_and_groups_widen_an_interval() -> None:
    rng = np.random.default_rng(0)
    good, poor = (np.where(rng.random(200) < p, 0, LABELS) for p in (0.05, 0.5))
    metric = {"recall": recall_of(np.array([2, 3]))}

    def width(*told: Array, groups: Array | None = None) -> float:
        (w,) = watch(metric, LABELS, {"a": [certain(t) for t in told]}, groups)
        return w.high - w.low

    assert width(good, poor) > width(good, good)
    # Whole bursts of four are right or wrong: they are fewer witnesses than their images.
    burst = np.arange(200) // 4
    together = np.where(rng.random(50) < 0.5, 0, 1)[burst] * LABELS
    assert width(together, groups=burst.astype(np.str_)) > 1.3 * width(together)


def test_nothing_is_told_of_classes_that_are_even() -> None:
    task = TASKS["classification"]
    assert task.watched(np.arange(100) % 4, ["a", "b", "c", "d"]) == {}
    told = task.watched(LABELS, ["a", "b", "c", "d"])
    assert list(told) == ["macro F1", "recall of the 2 rare classes (d, c)"]
    assert told["macro F1"] is METRICS["macro_f1"]


def test_a_metric_that_is_undefined_there_is_left_out() -> None:
    even = np.zeros(40, np.int64)
    assert watch({"r": recall_of(np.array([2]))}, even, {"a": [certain(even)]}) == []


def test_the_page_has_a_row_for_each_side() -> None:
    search = Search.read(ASSETS)
    assert search.summary is not None
    assert "in the confirmation, too" not in "\n".join(report(search))
    rare = Watched(
        what="recall of the rare class d",
        arm="winner",
        score=0.5,
        low=0.25,
        high=0.75,
        seeds=2,
        images=12,
    )
    every = rare.model_copy(update={"what": "macro F1", "images": 216})
    other = every.model_copy(update={"arm": "TrivialAugment", "score": 0.4})
    search.summary = search.summary.model_copy(update={"watched": (every, rare, other)})
    page = "\n".join(report(search))
    assert "in the confirmation, too  seeds       macro F1, 216 images" in page
    assert "recall of the rare class d, 12 images" in page
    assert "0.4000 (0.2500 to 0.7500)  –" in page
