"""Pseudo-masks from a promotion: what its models of each fold say, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from results.leaderboard.leaderboard import Leaderboard
from results.masks.counts import VOID
from results.masks.pixels import sampled
from results.records.confirmation import confirmation_arms
from search.competition.teachers import check_rules, find_teachers
from spaces.errors import InputError
from tests.mask_promotion import CONFIG, mask_promotion, sure
from trainables.data.mask_teachers import RIGHT, UNKNOWN, WRONG, MaskTeachers

STUDENT = CONFIG.replace(pseudo="hard", teachers="p")


def wrong_above(row: int, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bars in the upper half, the true mask below."""
    told = mask.copy()
    told[: len(mask) // 2] = 2
    return sure(told)


def test_teachers_of_a_fold_are_its_models(tmp_path: Path) -> None:
    runs, contest, folds = mask_promotion(tmp_path, wrong_above)
    found = find_teachers([STUDENT], runs / "discs", contest, folds)["p"]
    assert isinstance(found, MaskTeachers)
    assert found.folds.tolist() == [0, 1, 2, 3]
    said, truth = found.of(2), contest.truth
    assert said is not None
    assert truth is not None
    assert len(said.labels) == len(contest.test_images)
    for label, confidence in zip(said.labels, said.confidence, strict=True):
        assert (label[: len(label) // 2] == 2).all()
        assert (confidence == 215).all()
    assert (found.confidence == 215).all()
    for row, image in enumerate(folds.images):
        true = sampled(truth.masks[truth.rows[image]])
        lower = np.arange(len(true)) >= len(true) // 2
        expected = np.where(lower | (true == 2), RIGHT, WRONG)
        expected = np.where(true == VOID, UNKNOWN, expected)
        np.testing.assert_array_equal(found.right[row], expected)
        np.testing.assert_array_equal(found.labels[row], np.where(lower, true, 2))


def test_probabilities_are_kept_where_they_are_learned(tmp_path: Path) -> None:
    runs, contest, folds = mask_promotion(tmp_path, wrong_above)
    told = []
    for students in ([STUDENT], [STUDENT, STUDENT.replace(pseudo="soft")]):
        found = find_teachers(students, runs / "discs", contest, folds)["p"]
        assert isinstance(found, MaskTeachers)
        told.append(found.test[2])
    hard, both = told
    assert hard.shares is None
    assert both.shares is not None
    for shares, label in zip(both.shares, both.labels, strict=True):
        np.testing.assert_array_equal(shares, sure(label))


def test_the_rules_and_the_control_are_those_of_classes(tmp_path: Path) -> None:
    arms = confirmation_arms(STUDENT.replace(lr=5e-3), CONFIG)
    assert arms["without pseudo-labels"] == STUDENT.replace(lr=5e-3, pseudo="none")
    Leaderboard.read(tmp_path).set_rules(test_images=False)
    with pytest.raises(InputError, match="pseudo=hard: the rules forbid looking at test images"):
        check_rules([STUDENT], tmp_path)


def test_a_promotion_without_test_masks_teaches_nothing(tmp_path: Path) -> None:
    runs, contest, folds = mask_promotion(tmp_path, wrong_above)
    (runs / "discs/p/trials/p-001/test.npz").unlink()
    with pytest.raises(InputError, match="teachers=p: p-001 lacks predictions"):
        find_teachers([STUDENT], runs / "discs", contest, folds)
