"""Rare classes: samplings and weights, from what is trained on and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spaces.errors import InputError
from spaces.ready.imbalance import imbalance
from spaces.trial_config import TrialConfig
from trainables.data.folds import Folds
from trainables.data.samplings import SAMPLINGS, check_images
from trainables.data.training_set import TrainingSet, training_set
from trainables.data.weightings import class_weights
from trainables.training.context import TrainingContext

SIZES = [900, 90, 10]
STRATA = np.repeat(np.arange(3), SIZES)


def drawn(learned: TrainingSet, **settings: Any) -> np.ndarray[Any, Any]:
    config = TrialConfig.of(**settings)
    return SAMPLINGS.of(config.sampling)(config, learned)(np.random.default_rng(0))


def of_strata(rows: np.ndarray[Any, Any], **rest: Any) -> TrainingSet:
    targets = np.eye(3, dtype=np.float32)[STRATA]
    return TrainingSet(rows=rows, targets=targets, strata=STRATA, **rest)


def test_balanced_sampling_shows_classes_alike() -> None:
    every = of_strata(np.arange(1000))
    shown = np.bincount(STRATA[drawn(every, sampling="balanced")])
    assert shown == pytest.approx([333, 333, 333], abs=60)
    shown = np.bincount(STRATA[drawn(every, sampling="balanced", balance=0.5)])
    roots = np.sqrt(SIZES)
    assert shown == pytest.approx(1000 * roots / roots.sum(), abs=60)


def test_grouped_sampling_shows_groups_alike() -> None:
    groups = np.repeat(np.arange(4), [700, 200, 90, 10])
    learned = of_strata(np.arange(1000), groups=groups)
    shown = np.bincount(groups[drawn(learned, sampling="grouped")])
    assert shown == pytest.approx([250] * 4, abs=60)


@pytest.mark.parametrize("sampling", ["uniform", "balanced", "grouped"])
def test_no_sampling_draws_what_is_not_trained_on(sampling: str) -> None:
    """Nor do sizes of its classes and groups count: half of the common class is held out."""
    rows = np.arange(450, 1000)
    learned = of_strata(rows, groups=STRATA)
    found = drawn(learned, sampling=sampling)
    assert set(found) <= set(rows)
    assert len(found) == len(rows)
    changed = STRATA.copy()
    changed[:450] = 2  # whatever is held out, the draw is the same
    other = replace(learned, strata=changed, groups=changed)
    assert (drawn(other, sampling=sampling) == found).all()


@pytest.mark.parametrize(
    ("settings", "relative"),
    [
        ({"weighting": "none"}, [1, 1, 1]),
        ({"weighting": "balanced"}, [1, 10, 90]),
        ({"weighting": "balanced", "weight_power": 0.5}, [1, 10**0.5, 90**0.5]),
        ({"weighting": "effective", "effective_beta": 0.0}, [1, 1, 1]),
        (
            {"weighting": "effective", "effective_beta": 0.99},
            [(1 - 0.99**900) / (1 - 0.99**n) for n in SIZES],
        ),
    ],
)
def test_weights_of_classes(settings: dict[str, Any], relative: list[float]) -> None:
    weights = class_weights(TrialConfig.of(**settings), STRATA, np.ones(1000))
    assert weights.mean() == pytest.approx(1)
    by_class = weights[[0, 900, 990]]
    assert by_class / by_class[0] == pytest.approx(relative)


def test_a_class_is_as_large_as_its_images_count() -> None:
    """Two images that count half are as one; the sum of all weights stays."""
    strata, counted = np.array([0, 0, 1]), np.array([0.5, 0.5, 1.0])
    weights = class_weights(TrialConfig.of(weighting="balanced"), strata, counted)
    assert weights == pytest.approx([1, 1, 1])
    nothing = class_weights(TrialConfig.of(weighting="balanced"), strata, np.array([1.0, 1.0, 0.0]))
    assert nothing[:2] == pytest.approx([1, 1])
    assert np.isfinite(nothing).all()


def test_weights_know_nothing_of_the_held_out_fold(task: TrainingContext) -> None:
    """Other labels in the held-out fold change nothing of what is trained on."""
    folds, config = task.folds, TrialConfig.of(weighting="balanced", fold=2)
    labels = folds.labels.copy()
    labels[folds.held_out(2)] = 0
    other = Folds(images=folds.images, labels=labels, fold=folds.fold)
    ours, theirs = training_set(config, task), training_set(config, replace(task, folds=other))
    assert (ours.rows == theirs.rows).all()
    assert set(ours.rows).isdisjoint(folds.held_out(2))
    assert (ours.targets[ours.rows] == theirs.targets[ours.rows]).all()
    sums = ours.targets[ours.rows].sum(axis=0)
    assert sums == pytest.approx(np.full(10, len(ours.rows) / 10), rel=1e-5)


def test_groups_that_are_not_there_are_refused(task: TrainingContext) -> None:
    with pytest.raises(InputError, match=r"sampling=grouped .* data.group= names them"):
        check_images(TrialConfig.of(sampling="grouped"), task)
    groups = np.array([f"g{fold}" for fold in task.folds.fold])
    grouped = Folds(
        images=task.folds.images, labels=task.folds.labels, fold=task.folds.fold, groups=groups
    )
    check_images(TrialConfig.of(sampling="grouped"), replace(task, folds=grouped))


def test_the_space_has_groups_where_it_is_told_of_them() -> None:
    assert not imbalance()["sampling"].contains("grouped")
    assert imbalance(groups=True)["sampling"].contains("grouped")
