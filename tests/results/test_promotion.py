"""Out-of-fold predictions, headline intervals that hold, and the race."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from results.ensemble.out_of_fold import (
    OutOfFold,
    arms_left,
    collect,
    headline,
    nadeau_bengio,
)
from results.metrics import METRICS
from results.predictions import Predictions
from results.records.ledger import Ledger
from results.records.trials import Search
from results.tasks.class_scores import class_scores
from results.tasks.tasks import TASKS
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from tests.records import ended, opening_event, started

ACCURACY, MACRO_F1 = METRICS["accuracy"], METRICS["macro_f1"]
CLASSES = ("a", "b", "c")


def write_fold(search: Search, number: int, fold: int, seed: int, folds: Any, rng: Any) -> Any:
    """Records a finished fold of arm ``x-000``; returns its hold-out probabilities."""
    config = TrialConfig.of(fold=fold, seed=seed)
    name = f"p-{number:03d}"
    rows = folds[folds["fold"] == fold]
    probabilities = rng.dirichlet(np.ones(3), len(rows)).astype(np.float32)
    folder = search.folder / "trials" / name
    Predictions.of_classes(
        images=tuple(rows["image"]), classes=CLASSES, probabilities=probabilities
    ).write(folder / "holdout.npz")
    test = rng.dirichlet(np.ones(3), 4).astype(np.float32)
    Predictions.of_classes(images=tuple("wxyz"), classes=CLASSES, probabilities=test).write(
        folder / "test.npz"
    )
    ledger = Ledger(search.folder / "ledger.jsonl")
    for event in (started(name, config, why="fold", arm="x-000"), ended(name)):
        search.apply(ledger.add(event))
    ledger.close()
    return probabilities, test


def test_every_row_once_and_seeds_averaged(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n = 30
    folds = pd.DataFrame(
        {
            "image": [f"{i}.png" for i in range(n)],
            "label": rng.integers(0, 3, n),
            "fold": rng.permutation(np.arange(n) % 3),
            "group": [f"g{i % 15}" for i in range(n)],
        }
    )
    folds.to_csv(tmp_path / "folds-x.csv", index=False)
    shape = {"file": "folds-x.csv", "digest": "x", "count": 3, "sizes": [10, 10, 10]}
    opened = opening_event("p", classes=list(CLASSES), folds=shape)
    search = Search(folder=tmp_path / "p", opened=opened)
    with pytest.raises(InputError, match="no fold of x-000"):
        collect(search, "x-000")
    found: dict[int, list[Any]] = {0: [], 1: [], 2: []}
    for number, (fold, seed) in enumerate([(0, 0), (1, 1), (2, 1), (0, 1), (1, 2), (2, 2)]):
        found[fold].append(write_fold(search, number, fold, seed, folds, rng))
    oof, test = collect(search, "x-000")
    assert oof.predictions.images == tuple(folds["image"])
    assert (oof.labels == folds["label"]).all()
    assert (oof.folds == folds["fold"]).all()
    assert oof.groups is not None
    assert (oof.groups == folds["group"]).all()
    for fold, runs in found.items():
        rows = np.flatnonzero(folds["fold"] == fold)
        mean = np.mean([p for p, _ in runs], axis=0)
        assert oof.predictions.probabilities[rows] == pytest.approx(mean, abs=1e-6)
    assert test is not None
    every = np.mean([t for runs in found.values() for _, t in runs], axis=0)
    assert test.probabilities == pytest.approx(every, abs=1e-6)
    told = headline(MACRO_F1, oof)
    honest = oof.folds != 0
    guess = oof.predictions.probabilities.argmax(axis=1)
    expected = f1_score(oof.labels[honest], guess[honest], average="macro")
    assert told.score == pytest.approx(expected, abs=1e-12)
    assert told.images == honest.sum()
    assert told.chosen == told.folds[0]
    assert told.chosen is not None
    assert told.optimism == pytest.approx(100 * (told.chosen - told.score))
    worst = TASKS["classification"].worst(oof.labels, oof.predictions)[:3].tolist()
    chance = oof.predictions.probabilities[np.arange(n), oof.labels]
    assert worst == np.argsort(chance)[:3].tolist()
    scores = class_scores(oof.labels, oof.predictions)
    assert [s.f1 for s in scores] == sorted(s.f1 for s in scores)
    assert sum(s.images for s in scores) == n


def test_the_interval_covers_models_trained_anew_on_grouped_data() -> None:
    """80 groups of 7 images; each world draws groups, five folds of them, and a model per fold
    whose skill varies with what it was trained on. Nominal 95 %, at least 93 % wanted."""
    rng = np.random.default_rng(0)
    hits = []
    for _ in range(600):
        easy = rng.normal(0.8, 0.8, 80)  # how easy each group is
        fold = rng.permutation(80) % 5
        scores, rights = [], []
        for k in range(5):
            others = easy[fold != k].mean() - 0.8  # what it was trained on shifts its skill
            skill = 0.3 * others + 0.1 * rng.normal()
            chance = 1 / (1 + np.exp(-(easy[fold == k] + skill)))
            right = rng.random((chance.size, 7)) < chance[:, None]
            scores.append(float(right.mean()))
            rights.append(right)
        interval = nadeau_bengio(float(np.mean(scores[1:])), scores[1:], 5)
        assert interval is not None
        anew = rng.normal(0.8, 0.8, 4000)
        true = float((1 / (1 + np.exp(-anew))).mean())
        hits.append(interval.low <= true <= interval.high)
    assert np.mean(hits) >= 0.93
    assert nadeau_bengio(0.5, [0.5], 5) is None


def out_of_fold(rng: np.random.Generator, right: float) -> OutOfFold:
    labels = rng.integers(0, 3, 400)
    guess = np.where(rng.random(400) < right, labels, (labels + 1) % 3)
    return OutOfFold(
        predictions=Predictions.of_classes(
            images=tuple(map(str, range(400))),
            classes=CLASSES,
            probabilities=(0.8 * np.eye(3)[guess] + 0.2 / 3).astype(np.float32),
        ),
        labels=labels,
        folds=np.arange(400) % 5,
        groups=None,
        count=5,
    )


def test_the_race_keeps_who_may_be_best() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 500)

    def arm(right: float) -> Any:
        return np.eye(3)[np.where(rng.random(500) < right, labels, (labels + 1) % 3)]

    good, bad = arm(0.9), arm(0.6)
    near = good.copy()
    near[:2] = np.eye(3)[(labels[:2] + 1) % 3]
    assert arms_left(ACCURACY, labels, {"bad": bad, "good": good}, None) == ["good"]
    left = arms_left(ACCURACY, labels, {"near": near, "bad": bad, "good": good}, None)
    assert left[0] == "good"
    assert "bad" not in left
    assert len(arms_left(ACCURACY, labels, dict.fromkeys("abc", good), None)) == 2


def test_a_class_s_worst_confusion_is_named() -> None:
    oof = out_of_fold(np.random.default_rng(2), 0.7)
    confused = {s.name: s.confused_with for s in class_scores(oof.labels, oof.predictions)}
    assert confused == {"a": "b", "b": "c", "c": "a"}
    told = headline(ACCURACY, oof)
    assert told.interval is not None
    assert told.interval.low < told.score < told.interval.high <= 1
    assert told.given_models.low < told.score < told.given_models.high
