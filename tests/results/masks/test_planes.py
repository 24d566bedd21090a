"""Planes: arrays of different sizes in one block, mapped from files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from results.masks.planes import Planes
from results.predictions import MASKS, SIZES, Predictions
from spaces.errors import InputError

Shapes = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 4)), min_size=1, max_size=6)


def arrays(shapes: list[tuple[int, int]], channels: int = 3) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(len(shapes))
    return [rng.integers(0, 256, (*shape, channels), dtype=np.uint8) for shape in shapes]


@settings(deadline=None)  # the machine may be busy
@given(Shapes)
def test_arrays_come_back(shapes: list[tuple[int, int]]) -> None:
    put = arrays(shapes)
    planes = Planes.of(iter(put))
    assert len(planes) == len(put)
    for row, array in enumerate(put):
        np.testing.assert_array_equal(planes[row], array)


@settings(deadline=None)  # the machine may be busy
@given(Shapes, st.data())
def test_some_rows_in_any_order(shapes: list[tuple[int, int]], data: st.DataObject) -> None:
    put = arrays(shapes)
    rows = data.draw(st.lists(st.integers(0, len(put) - 1), max_size=8))
    some = Planes.of(put)[np.array(rows, np.int64)]
    assert [a.tobytes() for a in some] == [put[row].tobytes() for row in rows]
    again = Planes.of(some)
    assert [a.tobytes() for a in again] == [put[row].tobytes() for row in rows]


def predictions(shapes: list[tuple[int, int]]) -> Predictions:
    sizes = np.array([(10 * h, 10 * w) for h, w in shapes], np.float32)
    return Predictions(
        images=tuple(map(str, range(len(shapes)))),
        classes=("a", "b", "c"),
        heads={MASKS: Planes.of(arrays(shapes)), SIZES: sizes},
    )


def test_masks_are_mapped_from_the_file_that_holds_them(tmp_path: Path) -> None:
    shapes = [(3, 4), (5, 2), (1, 1)]
    written, path = predictions(shapes), tmp_path / "p.npz"
    written.of(("2", "0")).write(path)  # rows that are not those of the block
    read = Predictions.read(path)
    assert read.images == ("2", "0")
    assert isinstance(read.masks[0].base, np.memmap)
    for ours, theirs in zip(read.masks, (written.masks[2], written.masks[0]), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(read.sizes, written.sizes[[2, 0]])


def test_a_file_that_was_cut_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    predictions([(30, 40)] * 3).write(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"p\.npz does not hold predictions"):
        Predictions.read(path)


def test_masks_are_judged_only_where_the_truth_is_known() -> None:
    with pytest.raises(InputError, match="truth is not known"):
        _ = predictions([(3, 4)]).judged
    with pytest.raises(InputError, match="not of classes"):
        _ = predictions([(3, 4)]).probabilities


def test_parts_of_a_whole_are_joined() -> None:
    whole = predictions([(3, 4), (5, 2), (1, 1)])
    parts = [whole.of(("1",)), whole.of(("2", "0"))]
    joined = Predictions.joined(parts).of(whole.images)
    assert [m.tobytes() for m in joined.masks] == [m.tobytes() for m in whole.masks]
    np.testing.assert_array_equal(joined.sizes, whole.sizes)
