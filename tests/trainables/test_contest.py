"""Contest tables: everything that can be wrong with them, told with file and row."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from results.leaderboard.submission_file import SubmissionForm
from results.predictions import Predictions
from search.options.command_line import parse
from search.options.same_place import same_contest
from search.options.training import RunConfig
from spaces.errors import InputError
from trainables.audit.missing_labels import missing_labels
from trainables.data.contest import load_contest
from trainables.portable.command import write_rows

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
            {"train": {**TRAIN, "label": ["a", "NaN", "b", "nan"]}},
            {},
            "row 3: column 'label' says 'NaN'.* missing value.*data.classes= names it",
        ),
        (
            {"train": {**TRAIN, "site": ["x", "y", "y", "nan"]}},
            {"group": "site"},
            "row 5: column 'site' says 'nan'.* missing value: fill it in, or take the row out$",
        ),
        (
            {"train": {**TRAIN, "image": ["train/0.png"] * 4}},
            {},
            "row 3: .*already listed in row 2",
        ),
        ({"train": {**TRAIN, "image": ["train/9.png"] * 4}}, {}, "row 2: image .* is missing"),
        ({"train": {**TRAIN, "image": ["../x.png"] * 4}}, {}, "row 2: .*outside"),
        ({"train": {**TRAIN, "image": ["/etc/passwd"] * 4}}, {}, "row 2: .* an absolute path"),
        (
            {"train": {**TRAIN, "image": ["train/0.PNG"] * 4}},
            {},
            r"row 2: image 'train/0\.PNG' is missing in .*; '0\.png' is there",
        ),
        (
            {"test": {"image": ["test/0.png", "test/1.png"], "label": ["a", "z"]}},
            {},
            "unknown label 'z'.*row 3.*only the test knows",
        ),
        ({"test": {"image": ["train/0.png"]}}, {}, "listed in both"),
        ({"train": {**TRAIN, "image": ["x" * 300] * 4}}, {}, "row 2: image .* is missing"),
        ({"train": {**TRAIN, "image": ["x" * 300 + "/1"] * 4}}, {}, "row 2: image .* is missing"),
        ({}, {"train": ""}, "data.train= is needed"),
        ({}, {"group": "auto"}, "python -m search.audit.* proposes .* data.group=<the file"),
        ({}, {"classes": ["a", "b", "c"]}, "class 'c' of data.classes has no image"),
        ({}, {"classes": ["a", "x"]}, "unknown label 'b'.*row 3"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    write: Write, tables: dict[str, Any], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        load_contest(name="c", root=write(**tables), **options)


def test_classes_that_are_called_like_a_missing_value(write: Write) -> None:
    """NaN has to be named; NA, as of Namibia, is taken for a class, and told unless it is named."""
    root = write({**TRAIN, "label": ["DE", "NaN", "NA", "NA"]})
    meant = load_contest(name="c", root=root, classes=["DE", "NaN", "NA"])
    assert meant.labels.tolist() == [0, 1, 2, 2]
    assert not list(missing_labels(meant))
    root = write({**TRAIN, "label": ["DE", "DE", "NA", "NA"]})
    (found,) = missing_labels(load_contest(name="c", root=root))
    assert "2 training images have the label 'NA', the first in row 4" in found.what
    assert [place.row for place in found.places] == [2, 3]
    for name in ("nan", "None"):
        folder = root / "classes" / name
        folder.mkdir(parents=True)
        shutil.copy(root / "train/0.png", folder / f"{name}.png")
    named = load_contest(name="c", root=root, train="classes")
    assert named.classes == ("None", "nan")
    assert not list(missing_labels(named))


def test_spaces_that_nobody_sees_make_no_other_column_or_class(write: Write) -> None:
    root = write()
    (root / "train.csv").write_text("image ,label \ntrain/0.png,b \ntrain/1.png,a\n")
    (root / "test.csv").write_text("image ,label\ntest/1.png,b \n")
    contest = load_contest(name="c", root=root)
    assert (contest.classes, contest.labels.tolist()) == (("a", "b"), [1, 0])
    (root / "train.csv").write_text("image,label,label \ntrain/0.png,b,a\ntrain/1.png,a,b\n")
    with pytest.raises(InputError, match=r"train\.csv: the column 'label' is there twice, once"):
        load_contest(name="c", root=root)


def test_a_table_that_is_nowhere_is_looked_for_where_its_folder_is(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write()
    (root / "labels").mkdir()
    (root / "labels/corrections.csv").touch()
    monkeypatch.chdir(root)
    with pytest.raises(InputError, match=r"looked for in labels\): did you mean corrections\.csv"):
        load_contest(name="c", root=root / "train/..", corrections="labels/correction.csv")
    with pytest.raises(InputError, match=r"extra\.csv, looked for in .*\.\.\): .* test\.csv"):
        load_contest(name="c", root=root / "train/..", extra="extra.csv")


def test_tables_may_lie_in_a_folder_of_their_own(write: Write) -> None:
    root = write()
    (root / "tables").mkdir()
    for name in ("train.csv", "test.csv"):
        (root / name).rename(root / "tables" / name)
    contest = load_contest(name="c", root=root, train="tables/train.csv", test="tables/test.csv")
    assert all(path.exists() for path in contest.paths)


def test_a_missing_or_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        load_contest(name="c", root=tmp_path / "nothing")
    with pytest.raises(InputError, match=r"unknown file 'train\.csv'"):
        load_contest(name="c", root=tmp_path)
    (tmp_path / "train.csv").write_text("image,label\n")
    with pytest.raises(InputError, match="has no rows"):
        load_contest(name="c", root=tmp_path)
    (tmp_path / "train.csv").write_bytes(b"\xff\xfe\x00 not a table")
    with pytest.raises(InputError, match="is not text in UTF-8"):
        load_contest(name="c", root=tmp_path)


def test_ids_without_extension_in_folders_of_their_own(write: Write) -> None:
    root = write(
        {"image": ["0", "1", "2", "3"], "label": list("abab")}, {"image": ["x0", "x1", "x2.png"]}
    )
    for i in range(3):
        (root / "test" / f"{i}.png").rename(root / "test" / f"x{i}.png")
    contest = load_contest(name="c", root=root, train_images="train", test_images="test")
    assert contest.images == ("0", "1", "2", "3", "x0", "x1", "x2.png")
    assert [p.relative_to(contest.files.root).as_posix() for p in contest.paths[3:]] == [
        "train/3.png", "test/x0.png", "test/x1.png", "test/x2.png",
    ]  # fmt: skip
    for outside in (str(root / "train"), "../" + root.name):
        with pytest.raises(InputError, match=r"data\.train_images=.*: link it into"):
            load_contest(name="c", root=root, train_images=outside, test_images="test")
    with pytest.raises(InputError, match=r"data\.train_images=trian: there is no such folder"):
        load_contest(name="c", root=root, train_images="trian", test_images="test")
    with pytest.raises(InputError, match="row 2: image '0' is missing in"):
        load_contest(name="c", root=root, test_images="test")


def test_two_files_of_one_id_are_told(write: Write) -> None:
    root = write({"image": ["train/0", "train/1"], "label": list("ab")})
    (root / "train/1.jpg").write_bytes((root / "train/1.png").read_bytes())
    with pytest.raises(InputError, match=r"row 3: .*which of train/1\.jpg, train/1\.png is meant"):
        load_contest(name="c", root=root)


def test_folders_of_classes_instead_of_tables(tmp_path: Path) -> None:
    for name in ("train/Ä b/1.png", "train/Ä b/deep/2.JPG", "train/z/1.png", "test/9.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / name), np.zeros((8, 8), np.uint8))
    (tmp_path / "train/notes.txt").write_text("no class")
    contest = load_contest(name="c", root=tmp_path, train="train", test="test")
    assert contest.classes == ("z", "Ä b")
    assert contest.train_images == ("train/z/1.png", "train/Ä b/1.png", "train/Ä b/deep/2.JPG")
    assert contest.labels.tolist() == [0, 1, 1]
    assert contest.test_images == ("test/9.png",)
    with pytest.raises(InputError, match="holds no folders of images"):
        load_contest(name="c", root=tmp_path, train="test", test="")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no images"):
        load_contest(name="c", root=tmp_path, train="train", test="empty")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_tables_as_spreadsheets_write_them(write: Write, separator: str) -> None:
    root = write()
    table = pd.DataFrame(
        {"image": [f"train/{i}.png" for i in range(4)], "label": ["ä, b", "c;d"] * 2}
    )
    table.to_csv(root / "train.csv", index=False, sep=separator, encoding="utf-8-sig")
    contest = load_contest(name="c", root=root)
    assert contest.classes == ("c;d", "ä, b")


def test_images_in_several_folders(write: Write) -> None:
    """As sites give out what is too large for one archive."""
    root = write({"image": ["0", "1", "x2", "x3.png"], "label": list("abab")}, {"image": ["t"]})
    for folder, names in {"part_1": ("0", "1"), "part_2": ("x2", "x3"), "other": ("t",)}.items():
        (root / folder).mkdir()
        for name in names:
            shutil.copy(root / "test/0.png", root / folder / f"{name}.png")
    roots: dict[str, Any] = {
        "train_images": ["part_1", "part_2"], "test_images": ["test", "other"],
    }  # fmt: skip
    contest = load_contest(name="c", root=root, **roots)
    assert [p.relative_to(contest.files.root).as_posix() for p in contest.paths] == [
        "part_1/0.png", "part_1/1.png", "part_2/x2.png", "part_2/x3.png", "other/t.png",
    ]  # fmt: skip
    shutil.copy(root / "part_2/x3.png", root / "part_1")
    with pytest.raises(InputError, match=r"row 5: .*which of part_1/x3\.png, part_2/x3\.png is"):
        load_contest(name="c", root=root, **roots)
    for part in roots["train_images"]:
        (root / part / "x3.png").unlink()
    with pytest.raises(InputError, match=r"row 5: .*'x3\.png' is missing in .*part_1 and .*part_2"):
        load_contest(name="c", root=root, **roots)


@pytest.mark.parametrize(
    "labels",
    [("10", "2", "0"), ("große Möwe", "spotted owl", "北極 燕鷗"), ("a,b", 'the "c"', "d;e")],
)
def test_labels_of_all_kinds_come_back_as_they_were(
    write: Write, tmp_path: Path, labels: tuple[str, ...]
) -> None:
    rows = {"image": [f"train/{i}.png" for i in range(4)], "label": [*labels, labels[0]]}
    contest = load_contest(name="c", root=write(rows), classes=labels)
    assert contest.classes == labels
    bare, quoted = ",".join(labels), ",".join(map(repr, labels))
    for text in (quoted, bare) if bare.count(",") == 2 else (quoted,):
        assert tuple(parse(RunConfig, [f"data.classes=[{text}]"]).data.classes) == labels
    again = parse(
        RunConfig,
        shlex.split(same_contest(parse(RunConfig, [f"data.classes=[{quoted}]", "data.root=x"]))),
    )
    assert tuple(again.data.classes) == labels
    probabilities = np.eye(4, 3, dtype=np.float32)
    stored = Predictions.of_classes(
        images=contest.test_images, classes=contest.classes, probabilities=probabilities
    )
    stored.write(tmp_path / "test.npz")
    read = Predictions.read(tmp_path / "test.npz")
    assert read.classes == labels
    columns = dict.fromkeys(labels[::-1], 0.0)
    pd.DataFrame({"id": contest.test_images, **columns}).to_csv(tmp_path / "s.csv", index=False)
    for form in (
        SubmissionForm.read(tmp_path / "s.csv", contest.test_images, labels),
        SubmissionForm(ids=contest.test_images, columns=("id", "label"), classes=labels),
    ):
        form.write(read, tmp_path / "out.csv")
        table = pd.read_csv(tmp_path / "out.csv", dtype=str)
        form.check(tmp_path / "out.csv")
        if not form.wants_probabilities:
            assert list(table["label"][:3]) == list(labels)
    write_rows(tmp_path / "alone.csv", list(contest.test_images), labels, probabilities)
    table = pd.read_csv(tmp_path / "alone.csv", dtype=str)
    assert list(table) == ["image", "label", *labels]
    assert list(table["label"][:3]) == list(labels)


def test_figures_of_any_script_are_drawn_without_a_warning(tmp_path: Path) -> None:
    script = (
        "import numpy as np; from results.reporting.figures import error_map\n"
        "figure = error_map(np.eye(3), ['große Möwe', '北極 燕鷗', '7'])\n"
        "figure.savefig('x.png')"
    )
    command = [sys.executable, "-W", "error::UserWarning", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "x.png").stat().st_size > 1000


def test_links_may_lead_out_of_the_folder(write: Write, tmp_path_factory: Any) -> None:
    root, elsewhere = write(), tmp_path_factory.mktemp("elsewhere")
    (root / "train").rename(elsewhere / "train")
    (root / "train").symlink_to(elsewhere / "train")
    contest = load_contest(name="c", root=root)
    assert all(path.exists() for path in contest.paths)


def test_ids_of_the_site_s_own_are_a_column_of_the_test_table(write: Write) -> None:
    names = [f"test/{i}.png" for i in range(4)]
    root = write(test={"image": names, "code": list("dbca")})
    assert load_contest(name="c", root=root, id="code").test_ids == ("d", "b", "c", "a")
    assert load_contest(name="c", root=root).test_ids == ()
    with pytest.raises(InputError, match=r"unknown column 'cod'.*data.id=cod"):
        load_contest(name="c", root=root, id="cod")
    root = write(test={"image": names, "code": list("abba")})
    with pytest.raises(InputError, match=r"test.csv, row 4: 'b' is already listed in row 3"):
        load_contest(name="c", root=root, id="code")
