"""Masks as contests write them: all read the same, and everything wrong with them is told."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from results.leaderboard.mask_solution import read_solution
from results.masks.rle import decode
from results.masks.truth import Truth
from search.jobs.contest_data import read_contest
from search.options.audit import AuditConfig
from search.options.command_line import parse
from spaces.errors import InputError
from tests.mask_contests import written
from trainables.data.contest import Contest
from trainables.data.image_files import image_size

FORMS = ("numbers", "folder", "colours", "column", "row", "coco")


def read(folder: Path, options: list[str]) -> Contest:
    return read_contest(parse(AuditConfig, options).data, folder.parent / "runs")


def same(truth: Truth, other: Truth) -> bool:
    pairs = zip(truth.masks, other.masks, strict=True)
    return truth.classes == other.classes and all((a == b).all() for a, b in pairs)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_the_same(form: str, tmp_path: Path) -> None:
    plain = read(tmp_path / "plain", written(tmp_path / "plain", "numbers"))
    contest = read(tmp_path / form, written(tmp_path / form, form))
    assert plain.truth is not None
    assert contest.truth is not None
    assert contest.train_images == plain.train_images
    assert contest.truth.background == plain.truth.background == 0
    assert same(contest.truth, plain.truth)
    again = read(tmp_path / form, written_again(tmp_path / form, form))
    assert again.truth is not None
    assert again.truth.digest == contest.truth.digest
    assert again.truth.written == contest.truth.written


def written_again(folder: Path, form: str) -> list[str]:
    shutil.rmtree(folder)
    return written(folder, form)


@pytest.mark.parametrize("form", [form for form in FORMS if form != "folder"])
def test_solutions_are_in_the_form_of_the_contest(form: str, tmp_path: Path) -> None:
    truths = []
    for number, kind in enumerate(("numbers", form)):
        folder = tmp_path / str(number)
        contest = read(folder, written(folder, kind))
        assert contest.truth is not None
        sizes = {name: image_size(folder / name) for name in contest.test_images}
        file = folder / ("solution.json" if kind == "coco" else "solution.csv")
        truths.append(read_solution(file, contest.test_images, contest.truth, sizes))
    assert same(*truths)
    assert contest.truth is not None
    shifted = {name: (h + 1, w) for name, (h, w) in sizes.items()}
    if form not in ("column", "row"):
        with pytest.raises(InputError, match=r"solution.*: the mask has 64 x 48 .* 64 x 49"):
            read_solution(file, contest.test_images, contest.truth, shifted)


def test_images_of_a_coco_file_need_no_table(tmp_path: Path) -> None:
    options = written(tmp_path / "c", "coco")
    first = read(tmp_path / "c", options)
    (tmp_path / "c/train.csv").unlink()
    second = read(tmp_path / "c", options)
    assert second.train_images == first.train_images
    assert first.truth is not None
    assert second.truth is not None
    assert same(first.truth, second.truth)


def test_objects_have_rows_and_classes_may_be_missing(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    options = written(folder, "column")
    table = pd.read_csv(folder / "train.csv", dtype=str, keep_default_na=False)
    discs = table[table["label"] == "disc"].drop(columns="label")
    halves = []
    for image, runs, sequence in zip(
        discs["image"], discs["rle"].str.split(), discs["sequence"], strict=True
    ):
        middle = len(runs) // 4 * 2
        for part in (runs[:middle], runs[middle:]):
            halves.append((image, " ".join(part) or "1 0", sequence))
    columns = ["image", "rle", "sequence"]
    pd.DataFrame(halves, columns=columns).to_csv(folder / "train.csv", index=False)
    contest = read(folder, [*options, "data.group=sequence", "data.classes=[]"])
    assert contest.classes == ("ground", "mask")
    assert contest.groups is not None
    assert len(contest.groups) == len(contest.train_images) == 8
    assert contest.truth is not None
    for row, text in enumerate(discs["rle"]):
        height, width = contest.truth.masks.shapes[row].tolist()
        inside = decode(text, height, width, "column")
        np.testing.assert_array_equal(contest.truth.masks[row], inside)


def test_what_nothing_claims_is_a_class_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    options = [o for o in written(folder, "column") if "ground" not in o]
    contest = read(folder, options)
    assert contest.classes == ("background", "bar", "disc")
    void = read(folder, [*options, "data.void=disc"])
    assert void.classes == ("background", "bar")
    assert void.truth is not None
    assert (void.truth.masks[0] == 255).any()
    table = pd.read_csv(folder / "train.csv", dtype=str, keep_default_na=False)
    for image in table["image"].unique():
        height, width = image_size(folder / image)
        size, half = height * width, height * width // 2
        of = table["image"] == image
        table.loc[of & (table["label"] == "disc"), "rle"] = f"1 {half}"
        table.loc[of & (table["label"] == "bar"), "rle"] = f"{half + 1} {size - half}"
    table.to_csv(folder / "train.csv", index=False)
    claimed = read(folder, options)  # nothing is left for a background
    assert claimed.classes == ("bar", "disc")
    assert claimed.truth is not None
    assert claimed.truth.background is None


def cell(row: int, column: str, value: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        table = pd.read_csv(folder / "train.csv", dtype=str, keep_default_na=False)
        table.loc[row - 2, column] = value
        table.to_csv(folder / "train.csv", index=False)

    return change


def pixel(colour: tuple[int, int, int]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "train_masks/002.png"
        mask = np.array(Image.open(path).convert("RGB"))
        mask[5, 3] = colour
        Image.fromarray(mask).save(path)

    return change


def annotated(**parts: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        file = folder / "train.json"
        found = json.loads(file.read_text())
        if "drop" in parts:
            del found["images"][-1]
            found["annotations"] = [a for a in found["annotations"] if a["image_id"] < 7]
        else:
            added = {"id": 99, "image_id": 0, **parts}
            found["annotations"].append(added)
        file.write_text(json.dumps(found))

    return change


ALL = [[0, 0, 64, 0, 64, 48, 0, 48]]


@pytest.mark.parametrize(
    ("form", "change", "options", "words"),
    [
        ("column", cell(3, "rle", "3071 3"), [], r"train.csv, row 3 .*'3071 3' ends beyond"),
        ("column", cell(3, "rle", "5 x"), [], "row 3 .*got 'x'"),
        (
            "column",
            cell(10, "rle", "1 3072"),
            [],
            r"row 10 \(train/000.png\): 'bar' covers .* pixels of 'disc' in row 2, .*exclude",
        ),
        ("column", cell(10, "sequence", "s9"), ["data.group=sequence"], "row 10: .*'s9'.*row 2"),
        (
            "column",
            cell(3, "rle", "1 2 3"),
            [],
            r"row 3 \(train/001.png\): .*, got 3 numbers: '1 2 3'",
        ),
        (
            "column",
            cell(2, "rle", ""),
            ["data.run_lengths=''"],
            r"row 3: column 'rle' holds run lengths, '\d+ .*': data.run_lengths=column or row",
        ),
        ("column", cell(4, "label", ""), [], "row 4: these run lengths have no class"),
        ("column", cell(4, "label", "dics"), [], r"row 4: 'dics' is none of the classes ground"),
        ("column", cell(2, "image", "train/99.png"), [], r"row 2: .*is missing"),
        ("column", cell(4, "label", "disc"), ["data.label=lable"], "column 'lable'.*mean label"),
        (
            "colours",
            pixel((1, 2, 3)),
            [],
            r"1,2,3 in 1 mask, first in .*, row 4 \(train_masks/002.png\) at x=3, y=5; the near",
        ),
        ("colours", pixel((0, 0, 0)), ["data.void=dics"], "unknown class 'dics'.*disc"),
        ("colours", pixel((0, 0, 0)), ["data.classes=[ground,disc]"], "'bar' is none of the cla"),
        ("colours", pixel((0, 0, 0)), ["data.colours=color.csv"], "color.csv: there is no such"),
        (
            "numbers",
            pixel((7, 7, 7)),
            [],
            r"row 4 \(train_masks/002.png\): 7 is the number of no class",
        ),
        (
            "numbers",
            pixel((7, 7, 7)),
            ["data.classes=[]", "data.background="],
            r"row 4 \(train_masks/002.png\): is 7 the number of a class\? It is in 1 of 8 masks",
        ),
        ("numbers", pixel((7, 7, 7)), ["data.void=tree"], r"data.void=tree: .*are numbers"),
        ("numbers", cell(4, "mask", ""), [], r"row 4: 'train/002.png' has no mask"),
        ("numbers", cell(4, "mask", "x.png"), [], r"row 4: mask 'x.png' is missing"),
        ("numbers", cell(4, "mask", "train.csv"), [], r"row 4 \(train.csv\): cannot identify"),
        ("numbers", cell(4, "mask", "../x.png"), [], r"row 4: '../x.png' lies outside"),
        ("folder", cell(4, "image", "test/000.png"), [], None),
        ("folder", cell(4, "image", "test/000.png"), ["data.mask=/tmp"], "a folder inside of"),
        (
            "folder",
            cell(4, "image", "train_masks/007.png"),
            ["data.mask=test"],
            "has no mask there",
        ),
        ("folder", cell(4, "mask", ""), ["data.mask=maks"], "unknown column 'maks'.*mask"),
        (
            "coco",
            annotated(category_id=2, segmentation=ALL),
            [],
            r"annotations 0 \(disc\) and 99 \(bar\) of 'train/000.png' overlap",
        ),
        ("coco", annotated(category_id=2, segmentation=[[1, 2]]), [], "annotation 99 of .*pairs"),
        ("coco", annotated(drop=True), [], "does not list image 'train/007.png'"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    form: str,
    change: Callable[[Path], None],
    options: list[str],
    words: str | None,
    tmp_path: Path,
) -> None:
    given = written(tmp_path / "c", form)
    change(tmp_path / "c")
    if words is None:  # a class of its own; an image whose mask has the same stem
        assert read(tmp_path / "c", [*given, "data.test=", *options]).truth is not None
        return
    with pytest.raises(InputError) as error:
        read(tmp_path / "c", [*given, *options])
    assert re.search(words, str(error.value)), error.value


def test_all_missing_colours_are_told_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    options = written(folder, "colours")

    def paint(file: int, colours: list[tuple[int, int, int]]) -> None:
        path = folder / f"train_masks/{file:03d}.png"
        mask = np.array(Image.open(path))
        mask[-1, : len(colours)] = colours
        Image.fromarray(mask).save(path)

    several = [(1, 1, blue) for blue in range(9)]
    paint(2, several)
    paint(4, [(250, 0, 0), *several[:3]])
    paint(5, several[2:4])
    (folder / "train_masks/007.png").write_text("no image")
    with pytest.raises(InputError) as error:
        read(folder, options)
    first, broken, second, *lines, last = str(error.value).splitlines()
    assert first == "1 of 8 masks cannot be read:"
    assert f"{folder}/train.csv, row 9 (train_masks/007.png): cannot identify" in broken
    assert second == f"3 of 8 masks have colours that are not in {folder}/colours.csv:"
    assert [line.split(", first in ")[0].strip() for line in lines] == [
        "1,1,2 in 3 masks",
        "1,1,0 in 2 masks",
        "1,1,1 in 2 masks",
        "1,1,3 in 2 masks",
        *(f"1,1,{blue} in 1 mask" for blue in (4, 5, 6, 7)),
    ]
    assert lines[0].endswith(
        f"first in {folder}/train.csv, row 4 (train_masks/002.png) at x=2, y=47; the nearest are "
        "0,0,0 (ground), 255,0,0 (disc), 0,128,255 (bar)"
    )
    assert last.strip() == "and 2 more"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["data.colours=c.csv"], "data.colours= is of the masks that data.mask= names"),
        (["data.mask=m", "data.run_lengths=rows"], "unknown order 'rows'.*did you mean row"),
        (["data.mask=m", "data.annotations=a.json"], "two ways to write masks"),
        (["data.mask=m", "data.run_lengths=row", "data.colours=c.csv"], "two ways"),
        (["data.mask=m", "data.void=300"], "data.void"),
        (["data.void=tree"], "data.void=tree is of masks"),
        (["data.annotations=a.json", "data.box=[a,b,c,d]"], "data.box= is for classes of whole"),
    ],
)
def test_options_that_do_not_go_together(options: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse(AuditConfig, options)
