"""Pseudo-labels: of teachers of the same fold, taken by rules that know no held-out label."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from tests.tiny import build
from trainables.data.folds import Folds
from trainables.data.pseudo_labels import most_certain, threshold_of
from trainables.data.samplings import check_images
from trainables.data.teachers import Teachers
from trainables.data.training_set import training_set
from trainables.training.context import TrainingContext
from trainables.training.fit import fit

TESTS = 50


def said(told: Any, confidence: Any, classes: int = 2) -> NDArray[np.float32]:
    """Probabilities that give ``told`` this confidence and share out the rest."""
    told, confidence = np.asarray(told), np.asarray(confidence, np.float32)
    rest = (1 - confidence) / (classes - 1)
    found = np.repeat(rest[:, None], classes, axis=1).astype(np.float32)
    found[np.arange(len(told)), told] = confidence
    return found


def test_the_threshold_is_where_teachers_begin_to_err() -> None:
    labels = np.zeros(100, np.int64)
    confidence = np.linspace(0.99, 0.6, 100)
    told = np.where(np.arange(100) < 76, 0, 1)  # the 24 least certain are wrong
    found = threshold_of(confidence, told == labels)
    taken = confidence >= found - 1e-6
    assert taken.sum() == 80  # 76 of 80 are right
    assert threshold_of(confidence, told != labels) == float("inf")
    assert threshold_of(confidence, np.ones(100, bool)) == pytest.approx(0.6)


def test_equally_certain_images_go_together() -> None:
    """Ten of the same confidence, nine of them right: no part of them is 95 %."""
    labels, told = np.zeros(10, np.int64), np.array([0] * 9 + [1])
    assert threshold_of(np.full(10, 0.8), told == labels) == float("inf")


def test_the_surest_of_each_class_up_to_a_cap() -> None:
    told = np.array([0, 0, 0, 1, 1, 0])
    probabilities = said(told, [0.9, 0.8, 0.95, 0.7, 0.6, 0.99])
    assert most_certain(probabilities, 0.65, np.array([2, 5])).tolist() == [2, 3, 5]
    assert most_certain(probabilities, 2.0, np.array([2, 5])).tolist() == []


@pytest.fixture
def taught(task: TrainingContext) -> TrainingContext:
    """Teachers of folds 0, 1 and 2; that of fold k says class k of the first images, surely."""
    rng = np.random.default_rng(0)
    test = np.stack([said(np.full(TESTS, k), rng.uniform(0.5, 1, TESTS), 10) for k in range(3)])
    right = said(task.folds.labels, rng.uniform(0.5, 1, len(task.folds.labels)), 10)
    teachers = Teachers(folds=np.arange(3), test=test, held_out=right)
    return replace(task, teachers={"p": teachers})


@pytest.mark.parametrize("kind", ["soft", "hard"])
def test_a_student_learns_from_its_own_fold_s_teachers(kind: str, taught: TrainingContext) -> None:
    for fold in (0, 2):
        config = TrialConfig.of(pseudo=kind, teachers="p", pseudo_weight=0.5, fold=fold)
        found = training_set(config, taught)
        labelled = taught.folds.trained_on(fold)
        extra = found.rows[len(labelled) :]
        assert (found.rows[: len(labelled)] == labelled).all()
        assert set(extra) <= set(taught.test_rows)
        assert found.targets[extra].argmax(1) == pytest.approx(fold)
        assert found.targets[extra].sum(1) == pytest.approx(0.5)
        assert (found.targets[extra].max(1) == 0.5).all() == (kind == "hard")
        assert (found.strata[extra] == fold).all()
        # As many of a class as there are labelled ones of it, the surest.
        cap = int((taught.folds.labels[labelled] == fold).sum())
        assert found.told["train/pseudo_images"] == len(extra) == cap
        assert found.targets[labelled].sum() == len(labelled)


def test_no_held_out_label_has_a_say(taught: TrainingContext) -> None:
    """With every label of fold 1 wrong, a student of fold 1 learns the same."""
    config = TrialConfig.of(pseudo="soft", teachers="p", fold=1)
    ours = training_set(config, taught)
    labels = taught.folds.labels.copy()
    labels[taught.folds.held_out(1)] = 3
    other = Folds(images=taught.folds.images, labels=labels, fold=taught.folds.fold)
    theirs = training_set(config, replace(taught, folds=other))
    assert (ours.rows == theirs.rows).all()
    assert (ours.targets[ours.rows] == theirs.targets[ours.rows]).all()
    assert ours.told == theirs.told
    # Those of another fold do have one.
    labels[:] = 3
    wrong = Folds(images=taught.folds.images, labels=labels, fold=taught.folds.fold)
    nothing = training_set(config, replace(taught, folds=wrong))
    assert nothing.told["train/pseudo_images"] < ours.told["train/pseudo_images"]


def test_a_fold_without_a_teacher_is_refused(taught: TrainingContext) -> None:
    config = TrialConfig.of(pseudo="soft", teachers="p")
    with pytest.raises(InputError, match="teachers=p has no model of fold 3, and those of other"):
        check_images(config.replace(fold=3), taught)
    with pytest.raises(InputError, match="needs the predictions of a promotion"):
        check_images(config.replace(teachers="q"), taught)


def test_classes_are_weighed_with_what_was_added(taught: TrainingContext) -> None:
    config = TrialConfig.of(pseudo="hard", teachers="p", weighting="balanced")
    found = training_set(config, taught)
    sums = found.targets[found.rows].sum(axis=0)
    assert sums == pytest.approx(np.full(10, len(found.rows) / 10), rel=1e-4)


def test_a_training_reports_what_it_took_and_resumes(
    taught: TrainingContext, small: TrialConfig, tmp_path: Path
) -> None:
    config = small.replace(pseudo="soft", teachers="p", model="my:model")
    context = replace(taught, own={"my:model": build})
    whole = [e.report for e in fit(config, context, tmp_path / "whole")]
    told = whole[-1]["metrics"]
    assert told["train/pseudo_images"] > 0
    assert 0.5 <= told["train/pseudo_threshold"] <= 1
    shown = len(context.folds.trained_on(0)) + int(told["train/pseudo_images"])
    assert whole[0]["images"] == shown // 32 * 32
    training = fit(config, context, tmp_path / "halves")
    next(training)
    training.close()  # type: ignore[attr-defined]
    again = [e.report["metrics"] for e in fit(config, context, tmp_path / "halves")]
    assert again == [r["metrics"] for r in whole]


def test_what_teachers_say_is_stored_under_its_digest(tmp_path: Path) -> None:
    teachers = Teachers(
        folds=np.array([0, 2]),
        test=np.full((2, 3, 2), 0.5, np.float32),
        held_out=np.zeros((4, 2), np.float32),
    )
    path = teachers.write(tmp_path)
    again = Teachers.read(path)
    assert again.digest == teachers.digest
    assert again.of(1) is None
    assert again.of(2) is not None
    moved = path.rename(tmp_path / "teachers-0123456789abcdef.npz")
    with pytest.raises(InputError, match="was changed"):
        Teachers.read(moved)
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="does not hold what teachers say"):
        Teachers.read(path)


def test_teachers_that_are_sure_of_nothing_are_told_once(
    small: TrialConfig, taught: TrainingContext, tmp_path: Path
) -> None:
    """The training is then that of its matched control, which is no finding about pseudo-labels."""
    own = replace(taught, own={"my:model": build})
    config = small.replace(
        model="my:model", epochs=2, pseudo="hard", teachers="p", pseudo_threshold=0.6
    )
    even = np.full((3, TESTS, 10), 0.1, np.float32)
    right = said(own.folds.labels, 0.9 * np.ones(len(own.folds.labels)), 10)
    unsure = Teachers(folds=np.arange(3), test=even, held_out=right)
    first, second = fit(config, replace(own, teachers={"p": unsure}), tmp_path / "unsure")
    assert first.report["metrics"]["train/pseudo_images"] == 0
    assert first.notes == (
        "its teachers are sure enough of no test image: it trains as with pseudo=none",
    )
    assert second.notes == ()
    sure = next(iter(fit(config, own, tmp_path / "sure")))
    assert sure.notes == ()
