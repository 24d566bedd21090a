"""Run-length encodings against a plain implementation and COCO's own tools."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco

from results.masks.rle import Order, decode, encode
from spaces.errors import InputError

ORDERS: tuple[Order, ...] = ("column", "row")


def plainly(mask: Any, order: Order) -> str:
    flat = (mask.T if order == "column" else mask).ravel().tolist()
    found, start = [], None
    for place, inside in enumerate([*flat, False], start=1):
        if inside and start is None:
            start = place
        elif not inside and start is not None:
            found += [start, place - start]
            start = None
    return " ".join(map(str, found))


def of_coco(mask: Any) -> str:
    """COCO's columns: lengths outside and inside in turn."""
    rle = coco.encode(np.asfortranarray(mask, np.uint8))
    starts = coco.decode(rle).T.ravel()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], starts, [0]]).astype(int)))
    return " ".join(f"{a + 1} {b - a}" for a, b in zip(edges[::2], edges[1::2], strict=True))


def test_a_thousand_masks_there_and_back() -> None:
    rng = np.random.default_rng(0)
    for i in range(1000):
        height, width = rng.integers(1, 30, 2).tolist()
        mask = rng.random((height, width)) < rng.choice([0, 0.05, 0.5, 0.95, 1])
        for order in ORDERS:
            text = encode(mask, order)
            assert text == plainly(mask, order), i
            back = decode(text, height, width, order)
            assert back.dtype == np.bool_
            assert back.flags.c_contiguous
            assert (back == mask).all()
        assert encode(mask, "column") == of_coco(mask)


def test_any_mask_goes_there_and_back_whatever_its_numbers_are() -> None:
    labels = np.array([[0, 3], [255, 0]], np.uint8)
    assert encode(labels, "column") == "2 2"
    assert encode(labels, "row") == "2 2"
    assert encode(np.zeros((0, 4)), "row") == ""
    assert decode(" \n", 3, 2, "row").tolist() == [[False, False]] * 3
    assert decode("1 0", 3, 2, "row").tolist() == [[False, False]] * 3  # as some sites write it


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 3", "pairs of start and length, got 3 numbers"),
        ("1 two", "whole numbers parted by spaces, got 'two'"),
        ("1 2.5", "got '2.5'"),
        ("1,2", "got '1,2'"),
        (f"1 {10**30}", "got '1000000"),
        ("0 2", "run '0 2' starts before pixel 1"),
        ("-4 2", "run '-4 2' starts before pixel 1"),
        ("3 0", "run '3 0' has a length below 1"),
        ("1 1 5 3", "run '5 3' ends beyond the 6 pixels of 2 x 3"),
        (f"1 {2**63 - 1}", "ends beyond the 6 pixels"),
        (f"{2**63 - 1} {2**63 - 1}", "ends beyond the 6 pixels"),
        ("1 2 2 2", "run '2 2' starts before the run ahead of it ends"),
        ("5 1 1 1", "run '1 1' starts before the run ahead"),
    ],
)
def test_what_is_no_encoding_of_the_image_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        decode(text, 2, 3, "column")
    assert message in str(error.value)


def test_runs_may_touch() -> None:
    assert decode("1 2 3 1", 1, 5, "row").tolist() == [[True, True, True, False, False]]


@given(st.text(alphabet="0123456789- .x_٣", max_size=20))
def test_whatever_the_text_it_is_read_or_refused(text: str) -> None:
    try:
        mask = decode(text, 4, 5, "column")
    except InputError:
        return
    assert mask.shape == (4, 5)
