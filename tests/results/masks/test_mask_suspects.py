"""Regions of masks that confident predictions contradict."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from results.labels.mask_suspects import find_mask_suspects
from results.masks.counts import VOID
from results.masks.planes import Planes
from results.masks.truth import Truth
from tests.mask_promotion import sure


def truth_of(masks: list[NDArray[np.uint8]]) -> Truth:
    return Truth(
        images=tuple(str(i) for i in range(len(masks))),
        classes=("ground", "disc", "bar"),
        background=0,
        numbers=(0, 1, 2),
        void=-1,
        masks=Planes.of(masks),
    )


def scene() -> NDArray[np.uint8]:
    mask = np.zeros((40, 60), np.uint8)
    mask[5:15, 5:20] = 1
    mask[25:30] = 2
    return mask


def test_a_region_is_told_by_place_classes_and_size() -> None:
    right = scene()
    forgotten = right.copy()
    forgotten[5:15, 5:20] = 0  # nobody drew the disc
    found = find_mask_suspects(Planes.of([sure(right), sure(right)]), truth_of([right, forgotten]))
    (suspect,) = found
    assert suspect.row == 1
    (region,) = suspect.regions
    assert (region.given, region.predicted, region.pixels) == (0, 1, 150)
    assert region.box == (5, 5, 20, 15)
    assert region.share == 150 / 2400
    assert abs(region.sureness - 215 / 255) < 1e-6


def test_the_most_suspicious_come_first() -> None:
    right = scene()
    small, large = right.copy(), right.copy()
    small[5:10, 5:12] = 0
    large[25:30] = 0
    found = find_mask_suspects(Planes.of([sure(right)] * 3), truth_of([small, right, large]))
    assert [s.row for s in found] == [2, 0]


def test_outlines_doubt_and_void_are_no_suspects() -> None:
    right = scene()
    outline, unknown = right.copy(), right.copy()
    outline[5:15, 4] = 1  # a pixel further to the left
    unknown[5:15, 5:20] = VOID
    doubtful = sure(right).astype(int)
    doubtful[5:15, 5:20] = (95, 100, 60)
    missing = right.copy()
    missing[5:15, 5:20] = 0
    predicted = Planes.of([sure(right), sure(right), doubtful.astype(np.uint8), sure(right)])
    assert not find_mask_suspects(predicted, truth_of([outline, unknown, missing, right]))


def test_predictions_of_another_size_are_compared_at_the_masks_own() -> None:
    right = scene()
    forgotten = right.copy()
    forgotten[5:15, 5:20] = 0
    half = sure(right)[::2, ::2]
    (suspect,) = find_mask_suspects(Planes.of([half, half]), truth_of([right, forgotten]))
    assert suspect.row == 1
    left, top, right_side, bottom = suspect.regions[0].box
    assert abs(left - 5) <= 2
    assert abs(top - 5) <= 2
    assert abs(right_side - 20) <= 2
    assert abs(bottom - 15) <= 2


def test_where_classes_overlap_each_is_there_or_not() -> None:
    """A class that nobody drew, one that is not there, both in one place, and void."""
    planes = np.stack([scene() == 1, scene() == 2], axis=2)
    planes[:, 40:50, 0] = True  # crosses the bar
    given = [planes.copy() for _ in range(4)]
    given[1][5:15, 5:20, 0] = False
    given[2][32:38, 5:20] = True
    numbers = [(m @ np.array([1, 2])).astype(np.uint8) for m in given]
    numbers[3][planes.any(axis=2)] = VOID
    truth = Truth(
        images=("a", "b", "c", "d"),
        classes=("disc", "bar"),
        background=None,
        numbers=(0, 1),
        void=-1,
        masks=Planes.of(numbers),
        sets=((), (0,), (1,), (0, 1)),
    )
    assert truth.answers == ("disc", "not disc", "bar", "not bar")
    told = np.where(planes, [230, 215], [30, 20]).astype(np.uint8)
    found = find_mask_suspects(Planes.of([told] * 4), truth)
    assert [s.row for s in found] == [2, 1]
    drawn, missing = found
    assert [(r.given, r.predicted, r.pixels) for r in drawn.regions] == [(0, 1, 90), (2, 3, 90)]
    assert {r.box for r in drawn.regions} == {(5, 32, 20, 38)}
    assert [round(255 * r.sureness) for r in drawn.regions] == [225, 235]
    assert [(r.given, r.predicted, r.pixels) for r in missing.regions] == [(1, 0, 150)]
    # Confidence is what the class usually has: of bars that is less than of discs.
    told[5:15, 5:20, 0] = 200
    assert [s.row for s in find_mask_suspects(Planes.of([told] * 4), truth)] == [2]
