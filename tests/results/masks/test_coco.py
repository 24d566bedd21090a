"""COCO's files against COCO's own tools, and what is wrong in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_tools

from results.masks.coco import read_coco, write_coco_results
from results.masks.coco_counts import counts_of
from results.masks.coco_regions import region_of
from spaces.errors import InputError

SQUARE = [2, 2, 6, 2, 6, 6, 2, 6]


def written(folder: Path, *annotations: dict[str, Any], **rest: Any) -> Path:
    """A file of an image of 8 x 10 pixels, and one without annotations."""
    data = {
        "info": {"year": 2026},
        "images": [
            {"id": 7, "file_name": "a.png", "height": 8, "width": 10},
            {"id": 5, "file_name": "b.png", "height": 3, "width": 4, "license": 1},
        ],
        "categories": [{"id": 20, "name": "road"}, {"id": 3, "name": "car"}],
        "annotations": [
            {"id": i, "image_id": 7, "category_id": 20, "iscrowd": 0, **a}
            for i, a in enumerate(annotations, start=100)
        ],
        **rest,
    }
    path = folder / "instances.json"
    path.write_text(json.dumps(data))
    return path


def test_a_file_is_read(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {"segmentation": [SQUARE]},
        {"segmentation": {"size": [8, 10], "counts": [56, 8, 16]}, "category_id": 3},
        {"segmentation": [[0, 0, 2, 0, 2, 2, 0, 2], SQUARE]},
    )
    path.write_text(path.read_text(), encoding="utf-8-sig")  # as some editors save it
    found = read_coco(path)
    assert found.classes == ("car", "road")
    assert found.category_ids == (3, 20)
    assert found.images == ("a.png", "b.png")
    assert found.image_ids == {"a.png": 7, "b.png": 5}
    expected = np.zeros((8, 10), np.uint8)
    expected[2:6, 2:6] = expected[:2, :2] = 2
    expected[:, 7] = 1
    mask = found.mask("a.png", overlapping=False)
    assert mask.dtype == np.uint8
    assert (mask == expected).all()
    planes = found.mask("a.png", overlapping=True)
    assert planes.shape == (8, 10, 2)
    assert (planes[..., 0] == (expected == 1)).all()
    assert (planes[..., 1] == (expected == 2)).all()
    assert not found.mask("b.png", overlapping=False).any()


def test_classes_overlap_only_where_they_may(tmp_path: Path) -> None:
    one, other = {"segmentation": [SQUARE]}, {"segmentation": [SQUARE], "category_id": 3}
    path = written(tmp_path, one, one, other)
    found = read_coco(path)
    assert found.mask("a.png", overlapping=True).sum() == 2 * 16
    with pytest.raises(InputError) as error:
        found.mask("a.png", overlapping=False)
    for words in (str(path), "'a.png'", "101 (road)", "102 (car)", "16 pixels", "x=2, y=2"):
        assert words in str(error.value)


def test_polygons_are_drawn_as_by_coco() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        height, width = rng.integers(1, 60, 2).tolist()
        corners = int(rng.integers(3, 9))
        polygon = (rng.uniform(-0.2, 1.2, (corners, 2)) * (width, height)).ravel().tolist()
        rle = coco_tools.merge(coco_tools.frPyObjects([polygon], height, width))
        assert (region_of([polygon], height, width, "") == coco_tools.decode(rle)).all()


def test_a_thousand_masks_of_run_lengths_are_read_as_by_coco(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    masks = [
        rng.random(rng.integers(1, 80, 2)) < rng.choice([0, 0.02, 0.5, 0.98, 1])
        for _ in range(1000)
    ]
    for mask in masks:
        height, width = mask.shape
        rle = coco_tools.encode(np.asfortranarray(mask, np.uint8))
        text = {"size": [height, width], "counts": rle["counts"].decode()}
        assert (region_of(text, height, width, "") == mask).all()
        listed = {"size": [height, width], "counts": counts_of(text["counts"]).tolist()}
        assert (region_of(listed, height, width, "") == mask).all()
        theirs = coco_tools.frPyObjects(listed, height, width)
        assert theirs["counts"] == rle["counts"]
    path = tmp_path / "results.json"
    write_coco_results(path, [(i, 3, mask, 0.5) for i, mask in enumerate(masks)])
    rows = json.loads(path.read_text())
    assert {row["image_id"] for row in rows} == {i for i, m in enumerate(masks) if m.any()}
    for row in rows:
        assert (coco_tools.decode(row["segmentation"]) == masks[row["image_id"]]).all()
        assert (row["category_id"], row["score"]) == (3, 0.5)


def test_no_results_are_an_empty_list(tmp_path: Path) -> None:
    write_coco_results(tmp_path / "r.json", [(1, 1, np.zeros((2, 2), np.bool_), 1.0)])
    assert json.loads((tmp_path / "r.json").read_text()) == []


def test_large_counts_have_several_characters() -> None:
    mask = np.zeros((2000, 2000), np.uint8, order="F")
    mask[500:, 1999] = mask[3, 4] = 1
    rle = coco_tools.encode(mask)
    counts = counts_of(rle["counts"].decode())
    assert counts.sum() == 4_000_000
    assert counts[-1] == 1500


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        ({"image_id": 8}, "there is no image with id 8"),
        ({"category_id": 4}, "unknown category '4'"),
        ({"segmentation": []}, "a list of polygons or run lengths"),
        ({"segmentation": 3}, "a list of polygons or run lengths"),
        ({"segmentation": [3]}, "x and y in turn, got 3"),
        ({"segmentation": [[1, 2, 3, 4, 5]]}, "pairs of x and y, got 5 numbers"),
        ({"segmentation": [[1, 2, 3, 4]]}, "pairs of x and y, got 4 numbers"),
        ({"segmentation": [[1, 2, 3, 4, "5", 6]]}, "'5' is no coordinate"),
        ({"segmentation": [[1, 2, 3, 4, 5, 17]]}, "y=17 of a polygon is far outside of 10 x 8"),
        ({"segmentation": [[1, 2, 10**400, 4, 5, 6]]}, "x=1000"),
        ({"segmentation": {"size": [8, 9], "counts": [80]}}, "of an image of [8, 9]"),
        ({"segmentation": {"counts": [80]}}, "of an image of None"),
        ({"segmentation": {"size": [8, 10], "counts": [70]}}, "add up to 70, but 8 x 10 pixels"),
        ({"segmentation": {"size": [8, 10], "counts": [90, -10]}}, "a run length is below 0"),
        ({"segmentation": {"size": [8, 10], "counts": [80.5]}}, "whole numbers or COCO's text"),
        ({"segmentation": {"size": [8, 10], "counts": [10**30]}}, "whole numbers or COCO's text"),
        ({"segmentation": {"size": [8, 10], "counts": "\x00"}}, "whole numbers or COCO's text"),
        ({"segmentation": {"size": [8, 10], "counts": "P"}}, "whole numbers or COCO's text"),
        ({"segmentation": {"size": [8, 10], "counts": ""}}, "add up to 0"),
        ({"segmentation": {"size": [8, 10]}}, "whole numbers or COCO's text, got None"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, annotation: dict[str, Any], words: str) -> None:
    path = written(tmp_path, {"segmentation": [SQUARE]}, {"segmentation": [SQUARE], **annotation})
    with pytest.raises(InputError) as error:
        read_coco(path).mask("a.png", overlapping=False)
    for expected in (str(path), "annotation 101", words):
        assert expected in str(error.value)


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ({"images": []}, "images"),
        ({"annotations": None}, "annotations"),
        (
            {"categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]},
            "category id 1 is there",
        ),
        ({"categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "a"}]}, "category name 'a'"),
        ({"categories": [{"id": i, "name": str(i)} for i in range(255)]}, "254 categories at most"),
        ({"images": [{"id": 7, "file_name": "a", "height": 0, "width": 4}]}, "images/0/height"),
    ],
)
def test_a_file_that_is_none_of_coco_is_refused(
    tmp_path: Path, rest: dict[str, Any], words: str
) -> None:
    path = written(tmp_path, **rest)
    with pytest.raises(InputError) as error:
        read_coco(path)
    assert str(path) in str(error.value)
    assert words in str(error.value)


def test_a_missing_file_and_one_that_is_no_json_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read_coco(tmp_path / "none.json")
    (tmp_path / "text.json").write_text("a,b")
    with pytest.raises(InputError, match=r"text\.json: Invalid JSON"):
        read_coco(tmp_path / "text.json")


@given(st.text(alphabet=[chr(c) for c in range(46, 114)], max_size=30))
def test_any_text_of_counts_is_read_or_refused(text: str) -> None:
    try:
        mask = region_of({"size": [8, 10], "counts": text}, 8, 10, "here")
    except InputError:
        return
    assert mask.shape == (8, 10)
