"""Pseudo-masks where classes overlap: sets of classes, as sure as their least sure class."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from results.masks.class_sets import numbers_of
from results.masks.counts import VOID
from results.masks.planes import Planes
from results.masks.truth import Truth
from spaces.trial_config import TrialConfig
from tests.overlaps import RUN_LENGTHS, SIZES, overlaps
from tests.trainables.conftest import SMALL, context_of
from tests.trainables.test_overlapping_masks import read
from trainables.data.mask_teachers import RIGHT, UNKNOWN, WRONG, Labelled, MaskTeachers
from trainables.data.pseudo_labels import threshold_of
from trainables.data.pseudo_masks import thresholds_of
from trainables.data.samplings import check_images
from trainables.data.training_set import training_set
from trainables.portable.preparation import Preparation
from trainables.tasks.tasks import TRAINING_TASKS
from trainables.training.context import TrainingContext
from trainables.training.fit import fit

TESTS = 8
NEITHER, BAR, DISC, BOTH = range(4)
"""Numbers of the sets of classes."""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> TrainingContext:
    folder = tmp_path_factory.mktemp("overlaps")
    overlaps(folder / "scenes")
    contest = read(folder / "scenes", *RUN_LENGTHS)
    return context_of(contest, Preparation(side=64), folder)


@pytest.fixture
def student() -> TrialConfig:
    return TrialConfig.of(**SMALL, store_side=64, pseudo="hard", teachers="p", pseudo_weight=0.5)


def said(truth: Truth) -> Labelled:
    """Bars on the left, surely; both in the middle, of the disc hardly; on the right neither.

    Of the last image nothing is said with confidence.
    """
    masks = []
    for image in range(TESTS):
        height, width = SIZES[image // 4 % 2]
        mask = np.empty((height, width, 2), np.uint8)
        third = width // 3
        mask[:, :third] = 240, 10
        mask[:, third : 2 * third] = 250, 150
        mask[:, 2 * third :] = 20, 5
        if image == TESTS - 1:
            mask[:] = 130, 120
        masks.append(mask)
    return Labelled.of(Planes.of(masks), truth)


def taught(context: TrainingContext) -> TrainingContext:
    """Teachers who are wrong about half of the pixels where they see both classes."""
    count, truth = len(context.folds.labels), context.truth
    assert truth is not None
    shape = count, 16 * 16
    labels, confidence = np.zeros(shape, np.uint8), np.full(shape, 235, np.uint8)
    right = np.full(shape, RIGHT, np.uint8)
    labels[:, :80], labels[:, 80:160] = BAR, BOTH
    confidence[:, :80], confidence[:, 80:160] = 240, 150
    right[:, 80:120] = WRONG
    right[:, -5:] = UNKNOWN
    test = {fold: said(truth) for fold in range(3)}
    teachers = MaskTeachers(test=test, labels=labels, confidence=confidence, right=right)
    return replace(context, teachers={"p": teachers})


def test_a_set_of_classes_is_told_as_surely_as_its_least_sure_class(
    scenes: TrainingContext,
) -> None:
    truth = scenes.truth
    assert truth is not None
    assert truth.sets == ((), (0,), (1,), (0, 1))
    probabilities = np.array([[[250, 10], [250, 140]], [[90, 127], [128, 255]]], np.uint8)
    numbers, confidence = truth.told(probabilities)
    assert numbers.tolist() == [[BAR, BOTH], [NEITHER, BOTH]]
    assert confidence.tolist() == [[245, 140], [128, 128]]
    fewer = replace(truth, sets=truth.sets[:3])  # nobody drew both
    numbers, confidence = fewer.told(probabilities)
    assert numbers.tolist() == [[BAR, VOID], [NEITHER, VOID]]
    assert confidence.tolist() == [[245, 0], [128, 0]]


def test_sets_of_many_classes_have_the_numbers_of_their_rows() -> None:
    rng = np.random.default_rng(0)
    members = np.unique(rng.random((120, 90)) < 0.3, axis=0)
    rng.shuffle(members)
    strange = rng.random((50, 90)) < 0.5
    given = np.concatenate([members, strange]).reshape(-1, 2, 90)
    expected = [*range(len(members)), *[VOID] * len(strange)]
    assert numbers_of(given, members).ravel().tolist() == expected


def test_every_set_has_a_threshold_of_its_own(scenes: TrainingContext) -> None:
    teachers = taught(scenes).teachers["p"]
    assert isinstance(teachers, MaskTeachers)
    found = thresholds_of(teachers, scenes.folds.held_out(1), 4, threshold_of)
    np.testing.assert_allclose(found, [235 / 255, 240 / 255, np.inf, np.inf])
    teachers.right[:, 80:160] = RIGHT
    found = thresholds_of(teachers, scenes.folds.held_out(1), 4, threshold_of)
    np.testing.assert_allclose(found[BOTH], 150 / 255)


def test_a_student_learns_the_sets_that_teachers_are_sure_of(
    scenes: TrainingContext, student: TrialConfig
) -> None:
    context = taught(scenes)
    check_images(student, context)
    found = training_set(student, context)
    added = found.rows[len(context.folds.trained_on(0)) :]
    np.testing.assert_array_equal(added, context.test_rows[: TESTS - 1])
    assert found.told["train/pseudo_images"] == TESTS - 1
    assert found.told["train/pseudo_classes"] == 1  # of discs nothing is sure but where none is
    assert found.masks is not None
    mask = found.masks(int(added[0]), SIZES[0])
    third = SIZES[0][1] // 3
    assert (mask[:, :third] == BAR).all()
    assert (mask[:, third : 2 * third] == VOID).all()
    assert (mask[:, 2 * third :] == NEITHER).all()
    assert set(found.strata[added].tolist()) == {0}
    assert found.pixels is not None
    assert found.pixels[BAR].tolist() == [[1, 0], [0, 1]]  # a bar, and surely no disc
    by_hand = training_set(student.replace(pseudo_threshold=0.5), context)
    assert by_hand.told["train/pseudo_images"] == TESTS
    assert by_hand.told["train/pseudo_pixels"] == 1


def test_an_image_with_nothing_in_it_is_one_to_learn_from(
    scenes: TrainingContext, student: TrialConfig
) -> None:
    truth, context = scenes.truth, taught(scenes)
    assert truth is not None
    nothing = Planes.of(np.full((*SIZES[i // 4 % 2], 2), 3, np.uint8) for i in range(TESTS))
    teachers = context.teachers["p"]
    assert isinstance(teachers, MaskTeachers)
    teachers = replace(teachers, test=dict.fromkeys(range(3), Labelled.of(nothing, truth)))
    found = training_set(student, replace(context, teachers={"p": teachers}))
    assert found.told["train/pseudo_images"] == TESTS
    assert found.told["train/pseudo_classes"] == 0
    commonest = np.bincount(context.folds.labels).argmax()
    assert set(found.strata[context.test_rows].tolist()) == {commonest}


def test_a_training_learns_from_them(
    scenes: TrainingContext, student: TrialConfig, tmp_path: Path
) -> None:
    TRAINING_TASKS["multilabel_segmentation"].check(student)
    reports = [e.report for e in fit(student.replace(mix="cutmix"), taught(scenes), tmp_path)]
    assert reports[-1]["metrics"]["train/pseudo_images"] == TESTS - 1
    assert np.isfinite(reports[-1]["metrics"]["val/mean_iou"])
