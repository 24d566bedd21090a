"""Contest tables: everything that can be wrong with them, told with file and row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from spaces.errors import InputError
from trainables.data.contest import load_contest

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a small contest; arguments replace its tables."""

    def _write(train: Any = None, test: Any = None) -> Path:
        for part in ("train", "test"):
            (tmp_path / part).mkdir(exist_ok=True)
            for i in range(4):
                cv2.imwrite(str(tmp_path / part / f"{i}.png"), np.full((8, 8), i, np.uint8))
        rows = {"image": [f"train/{i}.png" for i in range(4)], "label": list("abab")}
        pd.DataFrame(train or rows).to_csv(tmp_path / "train.csv", index=False)
        rows = {"image": [f"test/{i}.png" for i in range(4)]}
        pd.DataFrame(test or rows).to_csv(tmp_path / "test.csv", index=False)
        return tmp_path

    return _write


TRAIN = {"image": [f"train/{i}.png" for i in range(4)], "label": list("abab")}


def test_a_good_contest(write: Write) -> None:
    contest = load_contest(name="c", root=write(), classes=["b", "a"])
    assert contest.classes == ("b", "a")
    np.testing.assert_array_equal(contest.labels, [1, 0, 1, 0])
    assert contest.images == contest.train_images + contest.test_images
    assert load_contest(name="c", root=write(), test="").test_images == ()


@pytest.mark.parametrize(
    ("tables", "options", "words"),
    [
        ({}, {"train": "trian.csv"}, "did you mean train.csv"),
        ({}, {"label": "lable"}, "did you mean label"),
        ({}, {"group": "person"}, "unknown column 'person'"),
        ({"train": {**TRAIN, "label": list("aaaa")}}, {}, "one class only"),
        ({"train": {**TRAIN, "label": ["a", "", "b", "a"]}}, {}, "row 3: column 'label' is empty"),
        (
            {"train": {**TRAIN, "image": ["train/0.png"] * 4}},
            {},
            "row 3: .*already listed in row 2",
        ),
        ({"train": {**TRAIN, "image": ["train/9.png"] * 4}}, {}, "row 2: image .* is missing"),
        ({"train": {**TRAIN, "image": ["../x.png"] * 4}}, {}, "row 2: .*outside"),
        ({"train": {**TRAIN, "image": ["/etc/passwd"] * 4}}, {}, "row 2: .*outside"),
        (
            {"test": {"image": ["test/0.png", "test/1.png"], "label": ["a", "z"]}},
            {},
            "unknown label 'z'.*row 3.*only the test knows",
        ),
        ({"test": {"image": ["train/0.png"]}}, {}, "listed in both"),
        ({}, {"classes": ["a", "b", "c"]}, "class 'c' of data.classes has no image"),
        ({}, {"classes": ["a", "x"]}, "unknown label 'b'.*row 3"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    write: Write, tables: dict[str, Any], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        load_contest(name="c", root=write(**tables), **options)


def test_tables_may_lie_in_a_folder_of_their_own(write: Write) -> None:
    root = write()
    (root / "tables").mkdir()
    for name in ("train.csv", "test.csv"):
        (root / name).rename(root / "tables" / name)
    contest = load_contest(name="c", root=root, train="tables/train.csv", test="tables/test.csv")
    assert all((contest.root / image).exists() for image in contest.images)


def test_a_missing_or_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        load_contest(name="c", root=tmp_path / "nothing")
    with pytest.raises(InputError, match=r"unknown file 'train\.csv'"):
        load_contest(name="c", root=tmp_path)
    (tmp_path / "train.csv").write_text("image,label\n")
    with pytest.raises(InputError, match="has no rows"):
        load_contest(name="c", root=tmp_path)
    (tmp_path / "train.csv").write_bytes(b"\xff\xfe\x00 not a table")
    with pytest.raises(InputError, match=r"not a CSV table|unknown column"):
        load_contest(name="c", root=tmp_path)
