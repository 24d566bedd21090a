"""Submissions as COCO's results: against COCO's own tools, there and back, and what is wrong."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from results.leaderboard.coco_form import LISTING, CocoForm
from results.masks.label_map import regions
from results.masks.planes import Planes
from results.masks.truth import Truth
from results.predictions import MASKS, SIZES, Head, Predictions
from results.tasks.task import Known
from results.tasks.tasks import task_of_truth
from spaces.errors import InputError

IMAGES = ("a.png", "b.png", "c.png")
CLASSES = {False: ("ground", "disc", "bar"), True: ("disc", "bar")}
SIZE = (12, 17)
KINDS = pytest.mark.parametrize("overlapping", [False, True])


def truth(overlapping: bool) -> Truth:
    return Truth(
        images=("t.png",),
        classes=CLASSES[overlapping],
        background=None if overlapping else 0,
        numbers=tuple(range(len(CLASSES[overlapping]))),
        void=-1,
        masks=Planes.of([np.zeros((2, 2), np.uint8)]),
        sets=((), (0,), (1,), (0, 1)) if overlapping else (),
    )


def listing(folder: Path, **changes: Any) -> Path:
    """Of the test images, without annotations; ids tell nothing, and there is one image more."""
    data = {
        "images": [
            {"id": 7 * i + 3, "file_name": f"x/{name}", "height": SIZE[0], "width": SIZE[1]}
            for i, name in enumerate([*IMAGES, "other.png"])
        ],
        "categories": [{"id": 90, "name": "disc"}, {"id": 4, "name": "bar"}],
        **changes,
    }
    path = folder / "images.json"
    path.write_text(json.dumps(data))
    return path


def told(overlapping: bool, seed: int = 0) -> Predictions:
    """Probabilities at half the size; nothing is in the last image."""
    rng = np.random.default_rng(seed)
    small = (*(side // 2 for side in SIZE), len(CLASSES[overlapping]))
    found = [rng.integers(0, 256, small, np.uint8) for _ in IMAGES[:2]]
    nothing = np.zeros(small, np.uint8)
    nothing[..., 0] = 0 if overlapping else 255
    planes = Planes.of([*found, nothing])
    heads: dict[str, Head] = {MASKS: planes, SIZES: np.array([SIZE] * 3, np.float32)}
    return Predictions(images=IMAGES, classes=CLASSES[overlapping], heads=heads)


@KINDS
def test_results_are_what_cocos_tools_read(overlapping: bool, tmp_path: Path) -> None:
    said, path = told(overlapping), tmp_path / "s.json"
    form = CocoForm.read(listing(tmp_path), IMAGES, truth(overlapping))
    form.write(said, path)
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = COCO(str(listing(tmp_path, annotations=[]))).loadRes(str(path))
    assert {a["image_id"] for a in theirs.dataset["annotations"]} == {3, 10}
    for row, mask in enumerate(said.masks):
        for name, inside in zip(said.classes, regions(mask, *SIZE, overlapping), strict=True):
            if name == "ground":
                continue
            ids = theirs.getAnnIds(imgIds=[7 * row + 3], catIds=[90 if name == "disc" else 4])
            found = theirs.loadAnns(ids)
            assert len(found) == inside.any()
            for annotation in found:
                np.testing.assert_array_equal(theirs.annToMask(annotation), inside)
                assert 0 < annotation["score"] <= 1
    back = task_of_truth(truth(overlapping)).read_submission
    form.keep(tmp_path)
    known = Known(said.classes, truth(overlapping), dict.fromkeys(IMAGES, SIZE))
    for mask, again in zip(said.masks, back(path, known).masks, strict=True):
        for inside, certain in zip(
            regions(mask, *SIZE, overlapping), np.moveaxis(again, 2, 0), strict=True
        ):
            np.testing.assert_array_equal(certain == 255, inside)


def test_right_masks_have_full_average_precision(tmp_path: Path) -> None:
    """By COCO's own evaluation, beside annotations of the same masks."""
    said, path = told(True), tmp_path / "s.json"
    form = CocoForm.read(listing(tmp_path), IMAGES, truth(True))
    form.write(said, path)
    with contextlib.redirect_stdout(io.StringIO()):
        rows = json.loads(path.read_text())
        known = [
            {**row, "id": i + 1, "iscrowd": 0, "area": 50.0, "bbox": [0, 0, 1, 1]}
            for i, row in enumerate(rows)
        ]
        true = COCO(str(listing(tmp_path, annotations=known)))
        judged = COCOeval(true, true.loadRes(str(path)), "segm")
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    assert judged.stats[0] == pytest.approx(1.0)


def changed(**values: Any) -> Callable[[list[dict[str, Any]]], None]:
    return lambda rows: rows[0].update(values)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (changed(image_id=99), "result 0: 99 is the id of no test image"),
        (changed(image_id=24), "result 0: 24 is the id of no test image"),
        (changed(category_id=5), "unknown category '5' .*result 0.*choices: 4, 90"),
        (changed(score=1.5), "0/score: Input should be less than or equal to 1"),
        (changed(segmentation={"size": [3, 4], "counts": [12]}), "result 0: its run lengths are"),
        (changed(segmentation={"size": [*SIZE], "counts": [5]}), "result 0: .*add up to 5, but"),
        (lambda rows: rows[0].pop("image_id"), "0/image_id: Field required"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    change: Callable[[list[dict[str, Any]]], Any], words: str, tmp_path: Path
) -> None:
    form = CocoForm.read(listing(tmp_path), IMAGES, truth(False))
    path = tmp_path / "s.json"
    form.write(told(False), path)
    rows = json.loads(path.read_text())
    change(rows)
    path.write_text(json.dumps(rows))
    with pytest.raises(InputError, match=words):
        form.check(path)


def test_two_classes_at_a_pixel_are_told_unless_they_overlap(tmp_path: Path) -> None:
    for overlapping in (False, True):
        form = CocoForm.read(listing(tmp_path), IMAGES, truth(overlapping))
        path = tmp_path / "s.json"
        form.write(told(overlapping), path)
        rows = json.loads(path.read_text())
        first = next(row for row in rows if row["category_id"] == 90)
        path.write_text(json.dumps([first, {**first, "category_id": 4}]))
        if overlapping:
            assert form.masks(path, IMAGES, [SIZE] * 3)[0].any()
            continue
        with pytest.raises(InputError, match="result 1: its pixels belong to another class, too"):
            form.masks(path, IMAGES, [SIZE] * 3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"categories": [{"id": 1, "name": "disc"}]}, "unknown class 'bar' .*its categories"),
        ({"images": [{"id": 1, "file_name": "a.png", "height": 2, "width": 2}]}, "'b.png': it is"),
    ],
)
def test_a_listing_has_all_images_and_classes(
    changes: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        CocoForm.read(listing(tmp_path, **changes), IMAGES, truth(False))


def test_ids_and_sizes_are_those_of_all_submissions(tmp_path: Path) -> None:
    form = CocoForm.read(listing(tmp_path), IMAGES, truth(False))
    form.check_ids(tmp_path)
    form.keep(tmp_path)
    form.check_ids(tmp_path)
    others = [{"id": 1, "name": "disc"}, {"id": 2, "name": "bar"}]
    other = CocoForm.read(listing(tmp_path, categories=others), IMAGES, truth(False))
    with pytest.raises(InputError, match=rf"other ids than those of earlier .*{LISTING}"):
        other.check_ids(tmp_path)
    said = told(False)
    heads = {**said.heads, SIZES: np.array([(9, 9)] * 3, np.float32)}
    wrong = Predictions(images=IMAGES, classes=said.classes, heads=heads)
    with pytest.raises(InputError, match=r"'a\.png' is listed with 17 x 12 pixels, and has 9"):
        form.write(wrong, tmp_path / "s.json")
    assert not (tmp_path / "s.json").exists()
