"""Contest folders with masks, recognised."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from search.jobs.contest_data import read_contest
from search.jobs.contest_yaml import write_contest_yaml
from search.options.analysis import InitConfig
from search.options.audit import AuditConfig
from search.options.command_line import parse
from spaces.errors import InputError
from tests.mask_contests import written
from tests.overlaps import overlaps
from trainables.data.folder_guesses import guess


def named(folder: Path) -> None:
    """Leaves names of images only, so that masks are known by theirs."""
    for table in ("train.csv", "solution.csv"):
        read = pd.read_csv(folder / table)
        read.drop(columns="mask").to_csv(folder / table, index=False)


def bare(folder: Path) -> None:
    """Leaves folders only."""
    for table in folder.glob("*.csv"):
        table.unlink()


def void(folder: Path) -> None:
    path = folder / "train_masks/000.png"
    mask = np.array(Image.open(path))
    mask[:3] = 255
    Image.fromarray(mask).save(path)


TABLE = {"train": "train.csv", "image": "image", "group": "sequence", "test": "test.csv"}
SIZE = {"baseline": {"size": 32}, "metric": "mean_iou"}
BACKGROUND = {"background": "0"}
RUNS = {"mask": "rle", "label": "label"}


@pytest.mark.parametrize(
    ("form", "changes", "expected"),
    [
        ("numbers", [], {**TABLE, "mask": "mask", **BACKGROUND, **SIZE}),
        ("numbers", [void], {**TABLE, "mask": "mask", "void": 255, **BACKGROUND, **SIZE}),
        ("numbers", [named], {**TABLE, "mask": "train_masks", **BACKGROUND, **SIZE}),
        (
            "numbers",
            [bare],
            {"train": "train", "mask": "train_masks", **BACKGROUND, "test": "test", **SIZE},
        ),
        ("colours", [], {**TABLE, "mask": "mask", "colours": "colours.csv", **SIZE}),
        ("coco", [bare], {"annotations": "train.json", "test": "test", **SIZE}),
        ("column", [], {**TABLE, **RUNS, "run_lengths": "column", **SIZE}),
        ("row", [], {**TABLE, **RUNS, "run_lengths": "row", **SIZE}),
    ],
)
def test_masks_are_recognised_and_the_yaml_loads(
    form: str, changes: list[Any], expected: dict[str, Any], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder = tmp_path / "cells"
    written(folder, form, train=16)
    for change in changes:
        change(folder)
    if form == "coco":
        (folder / "solution.json").unlink()
    assert {g.option: g.value for g in guess(folder)} == expected
    to = tmp_path / "conf/data/cells.yaml"
    assert write_contest_yaml(InitConfig(folder=str(folder), to=str(to))) == 0
    assert "16 training and 4 test images, 3 classes" in capsys.readouterr().out
    assert yaml.safe_load(to.read_text())["name"] == "cells"
    config = parse(AuditConfig, ["--config-dir", str(tmp_path / "conf"), "data=cells"])
    contest = read_contest(config.data, tmp_path / "runs")
    assert contest.truth is not None
    assert len(contest.truth.images) == 16


def test_a_number_that_is_asked_about_stops_no_guess(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The YAML is written, since what answers the question stands there."""
    folder = tmp_path / "cells"
    written(folder, "numbers")
    path = sorted(folder.glob("train_masks/*.png"))[2]
    mask = np.array(Image.open(path))
    mask[3, 5] = 77
    Image.fromarray(mask).save(path)
    to = tmp_path / "conf/data/cells.yaml"
    assert write_contest_yaml(InitConfig(folder=str(folder), to=str(to))) == 0
    assert "is 77 the number of a class?" in capsys.readouterr().out
    options = ["--config-dir", str(tmp_path / "conf"), "data=cells"]
    with pytest.raises(InputError, match="is 77 the number of a class"):
        read_contest(parse(AuditConfig, options).data, tmp_path / "runs")
    answered = parse(AuditConfig, [*options, "data.void=77"]).data
    assert len(read_contest(answered, tmp_path / "runs").classes) == 3


def test_colours_without_a_table_are_told(tmp_path: Path) -> None:
    written(tmp_path / "c", "colours")
    (tmp_path / "c/colours.csv").unlink()
    with pytest.raises(InputError, match=r"masks are in colour, but no table.*data\.colours="):
        guess(tmp_path / "c")


@pytest.mark.parametrize("form", ["runs", "coco"])
def test_classes_that_share_pixels_are_recognised(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "cells"
    overlaps(folder)
    if form == "coco":
        bare(folder)
        (folder / "solution.json").unlink()
    else:
        for path in folder.glob("*.json"):
            path.unlink()
    found = {g.option: g for g in guess(folder)}
    assert found["overlapping"].value is True
    what = "run lengths" if form == "runs" else "annotations"
    assert re.match(
        rf"{what} of bar and disc share \d+ pixels of train/000.png", found["overlapping"].why
    )
    assert "background" not in found
    to = tmp_path / "conf/data/cells.yaml"
    assert write_contest_yaml(InitConfig(folder=str(folder), to=str(to))) == 0
    assert "24 training and 8 test images, 2 classes: bar, disc" in capsys.readouterr().out
    assert yaml.safe_load(to.read_text())["overlapping"] is True


def test_pairs_that_are_no_run_lengths_are_not_taken_for_some(tmp_path: Path) -> None:
    """Places, runs that fall, and runs beyond the image."""
    for name, text in (
        ("places", "3 4"),
        ("falling", "9 2 3 1 1 1"),
        ("beyond", "1 5 99 9 9999 1"),
    ):
        folder = tmp_path / name
        overlaps(folder)
        for path in folder.glob("*.json"):
            path.unlink()
        (folder / "solution.csv").unlink()
        table = pd.read_csv(folder / "train.csv").assign(rle=text)
        table.to_csv(folder / "train.csv", index=False)
        assert "run_lengths" not in {g.option for g in guess(folder)}, name


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("5 x", "whole numbers parted by spaces, got 'x'"),
        ("1 2 3", "pairs of start and length, got 3 numbers: '1 2 3'"),
        ("3071 3", "run '3071 3' ends beyond the 2240 pixels of 40 x 56"),
        ("9 2 3 1", "run '3 1' starts before the run ahead of it ends"),
    ],
)
@pytest.mark.parametrize("row", [7, 23])
def test_a_row_that_is_wrong_is_told_and_the_others_are_run_lengths(
    row: int, value: str, words: str, tmp_path: Path
) -> None:
    folder = tmp_path / "cells"
    written(folder, "column", train=16)
    (folder / "solution.csv").unlink()
    table = pd.read_csv(folder / "train.csv", dtype=str, keep_default_na=False)
    table.loc[row - 2, "rle"] = value
    table.to_csv(folder / "train.csv", index=False)
    found = {g.option: g.value for g in guess(folder)}
    assert found == {**TABLE, **RUNS, "run_lengths": "column", **SIZE}
    with pytest.raises(InputError) as error:
        write_contest_yaml(InitConfig(folder=str(folder), to=str(tmp_path / "data/x.yaml")))
    assert f"{folder}/train.csv, row {row} (train/005.png): " in str(error.value)
    assert words in str(error.value)
    assert not (tmp_path / "data/x.yaml").exists()
