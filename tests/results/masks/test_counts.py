"""Counts of masks against counting pixel by pixel, and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from results.masks.counts import VOID, Counts, compare, judged
from tests.results.masks.reference import counted, random_masks


@pytest.mark.parametrize("overlapping", [False, True])
@pytest.mark.parametrize("background", [None, 0, 2])
def test_counts_are_those_of_counting(overlapping: bool, background: int | None) -> None:
    """A thousand masks in all."""
    rng = np.random.default_rng(10 * overlapping + (background or 0))
    for _ in range(170):
        classes = int(rng.integers(3, 6))
        truth, predicted = random_masks(rng, classes, overlapping=overlapping)
        found = compare(truth, predicted, classes, background)
        assert found.dtype == np.float64
        assert found.tolist() == counted(truth, predicted, classes, background)


def test_areas_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        truth, predicted = random_masks(rng, 4)
        known = truth != VOID
        if not known.any():
            continue
        matrix = confusion_matrix(truth[known], predicted[known], labels=range(4))
        counts = Counts.of(compare(truth, predicted, 4, None))
        assert counts.intersection.tolist() == matrix.diagonal().tolist()
        assert counts.actual.tolist() == matrix.sum(axis=1).tolist()
        assert counts.predicted.tolist() == matrix.sum(axis=0).tolist()
        assert (counts.right, counts.pixels) == (np.trace(matrix), matrix.sum())


def square(left: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    mask = np.zeros((240, 320), np.uint8)
    mask[50:100, left : left + 80] = 1
    return mask


@pytest.mark.parametrize(("shift", "near"), [(3, True), (4, False)])
def test_a_boundary_may_be_off_by_a_share_of_the_diagonal(shift: int, near: bool) -> None:
    """0.75 % of 400 pixels are 3."""
    counts = Counts.of(compare(square(20), square(20 + shift), 2, 0))
    assert counts.predicted_edge.tolist() == counts.actual_edge.tolist() == [2 * 80 + 2 * 48]
    assert (counts.predicted_near == counts.predicted_edge).all() == near
    assert (counts.actual_near == counts.actual_edge).all() == near


def test_void_hides_and_makes_no_boundary() -> None:
    """Whatever is predicted under void, a prediction that is right elsewhere has all boundaries."""
    truth = square(20)
    predicted = truth.copy()
    truth[:, 60:80] = VOID
    predicted[:, 60:80] = np.random.default_rng(0).integers(0, 2, (240, 20))
    counts = Counts.of(compare(truth, predicted, 2, 0))
    assert counts.predicted_edge == counts.predicted_near == counts.actual_near
    assert counts.right == counts.pixels == 240 * 300
    assert counts.over_void == predicted[:, 60:80].sum()


def test_boundaries_are_left_out_where_nobody_asks() -> None:
    whole, part = (
        compare(square(20), square(25), 2, 0),
        compare(square(20), square(25), 2, 0, edges=False),
    )
    assert (part[:6] == whole[:6]).all()
    assert (part[6:] == 0).all()
    assert whole[6:].all()


def test_the_background_is_not_judged() -> None:
    assert judged(4, 0) == [1, 2, 3]
    assert judged(4, None) == [0, 1, 2, 3]
    assert len(compare(square(2), square(3), 4, 2)) == 2 + 3 * 8
