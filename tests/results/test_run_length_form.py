"""Submissions of run lengths: in the order of the contest, there and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from results.leaderboard.run_length_form import RunLengthForm
from results.masks.notation import Notation
from results.masks.planes import Planes
from results.masks.postprocess import Form
from results.masks.rle import Order, decode
from results.masks.truth import Truth
from results.predictions import MASKS, SIZES, Head, Predictions
from spaces.errors import InputError

CLASSES, IMAGES, SHAPES = ("ground", "disc", "bar"), ("a.png", "b.png"), [(5, 7), (6, 4)]


def truth(order: Order | str) -> Truth:
    written = (
        Notation(names=CLASSES, order="row" if order == "row" else "column") if order else None
    )
    return Truth(
        images=("t.png",),
        classes=CLASSES,
        background=0,
        numbers=(0, 1, 2),
        void=-1,
        masks=Planes.of([np.zeros((2, 2), np.uint8)]),
        written=written or Notation(),
    )


@pytest.mark.parametrize("order", ["", "column", "row"])
def test_run_lengths_are_in_the_order_of_the_contest(order: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = [rng.integers(0, 3, shape) for shape in SHAPES]
    masks = Planes.of(np.asarray(255 * np.eye(3)[m], np.uint8) for m in labels)
    heads: dict[str, Head] = {MASKS: masks, SIZES: np.array(SHAPES, np.float32)}
    form = RunLengthForm.of(IMAGES, truth(order))
    form.write(Predictions(images=IMAGES, classes=CLASSES, heads=heads), tmp_path / "s.csv")
    table = pd.read_csv(tmp_path / "s.csv", dtype=str, keep_default_na=False)
    disc = decode(table["rle"][0], 5, 7, "row" if order == "row" else "column")
    np.testing.assert_array_equal(disc, labels[0] == 1)
    for mask, found in zip(masks, form.masks(tmp_path / "s.csv", IMAGES, SHAPES), strict=True):
        np.testing.assert_array_equal(mask, found)


def test_columns_are_parted_as_in_the_sample(tmp_path: Path) -> None:
    masks = Planes.of(np.zeros((*shape, 3), np.uint8) for shape in SHAPES)
    heads: dict[str, Head] = {MASKS: masks, SIZES: np.array(SHAPES, np.float32)}
    sample = tmp_path / "sample.csv"
    rows = [f"{image};{name};" for image in IMAGES for name in CLASSES[1:]]
    sample.write_text("\n".join(["id;what;rle", *rows]) + "\n")
    form = RunLengthForm.read(sample, IMAGES, truth("row"))
    form.write(Predictions(images=IMAGES, classes=CLASSES, heads=heads), tmp_path / "s.csv")
    lines = (tmp_path / "s.csv").read_text().splitlines()
    assert lines[:2] == ["id;what;rle", "a.png;disc;"]


def test_empty_masks_may_be_written_as_one_and_nothing(tmp_path: Path) -> None:
    form = RunLengthForm.of(IMAGES, truth("row"))
    rows = [(image, name, "1 0") for image, name in form.rows]
    pd.DataFrame(rows, columns=form.columns).to_csv(tmp_path / "s.csv", index=False)
    for mask in form.masks(tmp_path / "s.csv", IMAGES, SHAPES):
        assert (mask[..., 0] == 255).all()
    rows[1] = ("a.png", "bar", "30 9")
    pd.DataFrame(rows, columns=form.columns).to_csv(tmp_path / "s.csv", index=False)
    with pytest.raises(InputError, match=r"s\.csv, row 3: run '30 9' ends beyond the 35 pixels"):
        form.masks(tmp_path / "s.csv", IMAGES, SHAPES)


def test_run_lengths_that_are_none_are_told_with_their_row(tmp_path: Path) -> None:
    form = RunLengthForm(
        columns=("image", "rle"),
        rows=(("a", "disc"), ("b", "disc")),
        ids=("a", "b"),
        classes=("ground", "disc"),
        form=Form(classes=2, background=0),
        order="column",
    )
    path = tmp_path / "s.csv"
    for text, words in (("3 x", "whole numbers parted by spaces"), ("3 4 5", "got 3 numbers")):
        path.write_text(f"image,rle\na,1 2\nb,{text}\n")
        with pytest.raises(InputError, match=rf"s\.csv, row 3: .*{words}"):
            form.check(path)
