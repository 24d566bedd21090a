"""Pseudo-masks: test images as teachers of the same fold see them, void where they are not sure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from results.masks.counts import VOID
from results.masks.planes import Planes
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from tests.discs import SIZES
from trainables.data.loader import TrainingLoader
from trainables.data.mask_teachers import RIGHT, UNKNOWN, WRONG, Labelled, MaskTeachers
from trainables.data.pseudo_labels import threshold_of
from trainables.data.pseudo_masks import FEWEST, thresholds_of
from trainables.data.samplings import check_images
from trainables.data.training_set import training_set
from trainables.training.context import TrainingContext
from trainables.training.fit import fit

TESTS = 8
SURE, UNSURE = 240, 120
PIXELS = 16 * 16


def said(fold: int) -> Labelled:
    """Of the teachers of a fold: a disc on the left half, surely; on the right a bar, hardly.

    They know nothing of the last image, and of the first no disc.
    """
    labels, confidence = [], []
    for image in range(TESTS):
        height, width = SIZES[image // 4 % 2]
        label = np.full((height // 2, width // 2), 2, np.uint8)
        label[:, : width // 4] = 0 if image == 0 else 1
        label[fold] = 0  # by which they can be told apart
        sure = np.full_like(label, UNSURE)
        if image < TESTS - 1:
            sure[:, : width // 4] = SURE
        labels.append(label)
        confidence.append(sure)
    return Labelled(labels=Planes.of(labels), confidence=Planes.of(confidence))


def teachers_of(context: TrainingContext, *folds: int) -> MaskTeachers:
    """Right on half of the pixels that they are hardly sure of, and on all others.

    Of every image that is 156 pixels told as a disc or as ground, and a bar's 100.
    """
    count = len(context.folds.labels)
    labels = np.ones((count, PIXELS), np.uint8)
    labels[:, :100] = 2
    labels[::2, 100:] = 0
    confidence = np.full((count, PIXELS), SURE, np.uint8)
    confidence[:, :100] = UNSURE
    right = np.full((count, PIXELS), RIGHT, np.uint8)
    right[:, :100:2] = WRONG
    right[:, -20:] = UNKNOWN
    right[~np.isin(context.folds.fold, folds)] = UNKNOWN
    test = {fold: said(fold) for fold in folds}
    return MaskTeachers(test=test, labels=labels, confidence=confidence, right=right)


def taught(context: TrainingContext) -> TrainingContext:
    return replace(context, teachers={"p": teachers_of(context, 0, 1, 2)})


@pytest.fixture
def student(config: TrialConfig) -> TrialConfig:
    return config.replace(pseudo="hard", teachers="p", pseudo_weight=0.5)


def test_a_student_learns_what_its_own_fold_s_teachers_are_sure_of(
    squashed: TrainingContext, student: TrialConfig
) -> None:
    context = taught(squashed)
    for fold in (0, 2):
        found = training_set(student.replace(fold=fold), context)
        labelled = context.folds.trained_on(fold)
        added = found.rows[len(labelled) :]
        np.testing.assert_array_equal(added, context.test_rows[: TESTS - 1])
        assert (found.targets[added] == 0.5).all()
        assert (found.targets[labelled] == 1).all()
        assert found.told["train/pseudo_images"] == TESTS - 1
        assert found.told["train/pseudo_classes"] == 2
        areas = [height * width for height, width in (SIZES[i // 4 % 2] for i in range(TESTS))]
        share = sum(areas[:-1]) / sum(areas) / 2  # their left halves, but of the last image
        assert found.told["train/pseudo_pixels"] == pytest.approx(share)
        assert found.masks is not None
        for row in added.tolist():
            mask = found.masks(row, (64, 64))
            assert mask.shape == (64, 64)
            assert (mask[:, 33:] == VOID).all()
            left = mask[:, :31]
            told = 0 if row == added[0] else 1
            assert set(np.unique(left).tolist()) == {0, told}
            assert (left == 0).all(axis=1).sum() in ((64,) if told == 0 else (2, 3, 4))
        # Rows that tell one fold's teachers from another's.
        first = found.masks(int(added[1]), SIZES[0])[:, 0]
        assert np.flatnonzero(first == 0).tolist() == [2 * fold, 2 * fold + 1]
    # Strata are of the rarest class that is known of an image.
    assert found.strata[added].tolist() == [0, *[1] * (TESTS - 2)]


def test_masks_that_are_held_out_say_nothing_of_which_class_is_rare(
    squashed: TrainingContext, student: TrialConfig
) -> None:
    context = taught(squashed)
    assert context.truth is not None
    shown = training_set(student, context).strata[context.test_rows]
    masks = list(context.truth.masks)
    for row in context.folds.held_out(0).tolist():
        masks[row] = np.ones_like(masks[row])  # nothing but discs, where ground was
    other = replace(context.truth, masks=Planes.of(masks), digest="")
    assert ((context.truth.pixels > 0).sum(axis=0) != (other.pixels > 0).sum(axis=0)).any()
    found = training_set(student, replace(context, truth=other))
    assert found.strata[context.test_rows].tolist() == shown.tolist()


def test_thresholds_are_read_off_other_folds(
    squashed: TrainingContext, student: TrialConfig
) -> None:
    teachers = teachers_of(squashed, 0, 1, 2)
    teachers.right[squashed.folds.held_out(1)] = WRONG
    context = replace(squashed, teachers={"p": teachers})
    ours = training_set(student.replace(fold=1), context)
    assert ours.told["train/pseudo_images"] == TESTS - 1
    theirs = training_set(student.replace(fold=0), context)
    assert theirs.told["train/pseudo_images"] == theirs.told["train/pseudo_classes"] == 0
    assert len(theirs.rows) == len(squashed.folds.trained_on(0))
    by_hand = training_set(student.replace(pseudo_threshold=0.4), context)
    assert by_hand.told["train/pseudo_images"] == TESTS
    assert by_hand.told["train/pseudo_classes"] == 3
    assert by_hand.told["train/pseudo_pixels"] == 1


def test_every_class_has_a_threshold_of_its_own(squashed: TrainingContext) -> None:
    teachers, rows = teachers_of(squashed, 0, 1, 2), squashed.folds.held_out(0)
    found = thresholds_of(teachers, rows, 3, threshold_of)
    np.testing.assert_allclose(found, [SURE / 255, SURE / 255, np.inf])
    teachers.right[:, :100] = RIGHT  # bars, too
    np.testing.assert_allclose(thresholds_of(teachers, rows, 3, threshold_of)[2], UNSURE / 255)
    few = rows[:1]
    assert FEWEST <= 100
    teachers.right[few, : 101 - FEWEST] = UNKNOWN  # of one image too few pixels are known
    assert thresholds_of(teachers, few, 3, threshold_of)[2] == np.inf


@pytest.mark.parametrize("kind", ["squashed", "native"])
def test_batches_show_them_moved_and_cut_like_other_masks(
    kind: str, request: pytest.FixtureRequest
) -> None:
    context = taught(request.getfixturevalue(kind))
    made: TrialConfig = request.getfixturevalue("config" if kind == "squashed" else "windows")
    made = made.replace(pseudo="hard", teachers="p", pseudo_weight=0.5)
    found = training_set(made, context)
    loader = TrainingLoader(made, context.store, found, 0)
    weights: list[float] = []
    shares: list[NDArray[np.bool_]] = []
    for batch in loader.epoch(1):
        assert batch.masks is not None
        assert batch.masks.shape[1:] == made.data.size
        weights += batch.targets[:, 0].tolist()
        shares += list((batch.masks.numpy() == VOID).mean(axis=(1, 2)))
    assert 1 <= sum(w == 0.5 for w in weights) <= TESTS - 1
    if kind == "squashed":
        assert all((s > 0.4) == (w == 0.5) for s, w in zip(shares, weights, strict=True))


def test_pixels_of_classes_are_weighed_by_masks_as_given(
    squashed: TrainingContext, student: TrialConfig
) -> None:
    weighted = {"weighting": "balanced"}
    ours = training_set(student.replace(**weighted), taught(squashed)).pixels
    theirs = training_set(student.replace(pseudo="none", **weighted), squashed).pixels
    np.testing.assert_array_equal(ours, theirs)


def test_a_training_learns_from_them_and_resumes(
    squashed: TrainingContext, student: TrialConfig, tmp_path: Path
) -> None:
    context = taught(squashed)
    made = student.replace(sampling="balanced")
    whole = [e.report for e in fit(made, context, tmp_path / "whole")]
    assert whole[0]["images"] == (24 + TESTS - 1) // 8 * 8
    assert whole[0]["metrics"]["train/pseudo_images"] == TESTS - 1
    next(iter(fit(made, context, tmp_path / "halves")))
    again = [e.report["metrics"] for e in fit(made, context, tmp_path / "halves")]
    assert again == [r["metrics"] for r in whole]


def test_what_is_refused(squashed: TrainingContext, student: TrialConfig) -> None:
    context = taught(squashed)
    with pytest.raises(InputError, match="teachers=p has no model of fold 3, and those of other"):
        check_images(student.replace(fold=3), context)


def test_what_teachers_say_is_stored_under_its_digest(
    squashed: TrainingContext, tmp_path: Path
) -> None:
    teachers = teachers_of(squashed, 0, 2)
    path = teachers.write(tmp_path)
    again = MaskTeachers.read(path)
    assert again.digest == teachers.digest
    assert again.folds.tolist() == [0, 2]
    assert again.of(1) is None
    ours, theirs = teachers.of(2), again.of(2)
    assert ours is not None
    assert theirs is not None
    for a, b in zip(ours.labels, theirs.labels, strict=True):
        np.testing.assert_array_equal(a, b)
    moved = path.rename(tmp_path / "teachers-0123456789abcdef.npz")
    with pytest.raises(InputError, match="was changed"):
        MaskTeachers.read(moved)
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="does not hold what teachers say"):
        MaskTeachers.read(path)
