"""Contest folders as sites give them out, recognised."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from search.jobs.contest_data import read_contest
from search.jobs.contest_yaml import write_contest_yaml
from search.jobs.preparation import prepare
from search.options.analysis import InitConfig
from search.options.audit import AuditConfig
from search.options.command_line import parse
from search.options.groups import DataConfig
from search.options.same_place import same_contest
from search.options.training import TrainConfig
from spaces.errors import InputError
from trainables.data.contest import load_contest
from trainables.data.folder_guesses import guess

Root = Callable[[str], Path]


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """Makes a contest of a form; 24 training and 6 test images of 50 x 70 pixels."""

    def images(*names: str) -> None:
        for name in names:
            path = tmp_path / "My contest (2)" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), np.zeros((50, 70, 3), np.uint8))

    def table(name: str, separator: str = ",", **columns: Any) -> None:
        path = tmp_path / "My contest (2)" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(columns).to_csv(path, index=False, sep=separator)

    ids, tests = [f"{i:03d}" for i in range(24)], [f"{i:03d}" for i in range(100, 106)]
    kinds = ["owl"] * 16 + ["jay"] * 8

    def make(form: str) -> Path:
        if form == "paths":
            images(*(f"train/{i}.png" for i in ids), *(f"test/{i}.png" for i in tests))
            table("train.csv", image=[f"train/{i}.png" for i in ids], label=kinds)
            table("test.csv", image=[f"test/{i}.png" for i in tests])
        elif form == "names":
            images(*(f"{i}.png" for i in [*ids, *tests]))
            table("train.csv", image=[f"{i}.png" for i in ids], label=kinds)
            table("test.csv", number=[*range(6)], id=tests, file=[f"{i}.png" for i in tests])
        elif form == "ids":
            images(*(f"imgs/tr/{i}.jpg" for i in ids), *(f"imgs/te/{i}.jpg" for i in tests))
            weather = ["dry", "wet", "dry"] * 8
            site = [f"s{i % 6}" for i in range(24)]
            table("labels.csv", ";", Id=ids, weather=weather, bird=kinds, site_id=site)
            table("sample_submission.csv", Id=tests, bird="owl")
        elif form == "probabilities":
            images(*(f"{i}.png" for i in [*ids, *tests]))
            table("train.csv", id=ids, species=kinds)
            table("sample.csv", id=tests, jay=0.5, owl=0.5)
        elif form == "folders":
            images(*(f"Train/{k}/{i}.png" for i, k in zip(ids, kinds, strict=True)))
            images(*(f"test_images/{i}.png" for i in tests))
        elif form == "boxes":
            images(*(f"{i}.png" for i in [*ids, *tests]))
            box: dict[str, Any] = {"Xmin": 3, "Ymin": 4, "Xmax": 50, "Ymax": [*range(20, 44)]}
            table("train.csv", image=[f"{i}.png" for i in ids], label=kinds, **box)
            box = {"Xmin": 1, "Ymin": [*range(6)], "Xmax": 9.5, "Ymax": 8, "score": 0.5}
            table("test.csv", image=[f"{i}.png" for i in tests], **box)
        elif form == "capitals":
            images(*(f"{i}.png" for i in [*ids, *tests]))
            table("Train.CSV", Image=ids, Label=kinds)
            table("TEST.csv", Image=tests)
        elif form == "roots":
            images(*(f"part_{n % 2}/{i}.jpg" for n, i in enumerate(ids)))
            images(*(f"tst/{i}.jpg" for i in tests))
            table("train.csv", Id=ids, label=kinds)
            table("test.csv", Id=tests, code=[*range(6)])
            table("sample_submission.csv", code=[*range(6)][::-1], label="owl")
        return tmp_path / "My contest (2)"

    return make


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (
            "paths",
            {"train": "train.csv", "image": "image", "label": "label", "test": "test.csv",
             "baseline": {"size": 32}, "metric": "macro_f1"},
        ),
        (
            "names",
            {"train": "train.csv", "image": ["image", "id"], "label": "label", "test": "test.csv",
             "baseline": {"size": 32}, "metric": "macro_f1"},
        ),
        (
            "ids",
            {"train": "labels.csv", "image": "Id", "train_images": "imgs/tr", "label": "bird",
             "group": "site_id", "test": "sample_submission.csv", "test_images": "imgs/te",
             "baseline": {"size": 32}, "metric": "macro_f1"},
        ),
        (
            "probabilities",
            {"train": "train.csv", "image": "id", "label": "species", "test": "sample.csv",
             "baseline": {"size": 32}, "metric": "log_loss"},
        ),
        (
            "boxes",
            {"train": "train.csv", "image": "image", "label": "label", "test": "test.csv",
             "box": ["Xmin", "Ymin", "Xmax", "Ymax"], "baseline": {"size": 32},
             "metric": "macro_f1"},
        ),
        (
            "roots",
            {"train": "train.csv", "image": "Id", "train_images": ["part_0", "part_1"],
             "label": "label", "test": "test.csv", "test_images": "tst", "id": "code",
             "baseline": {"size": 32}, "metric": "macro_f1"},
        ),
        (
            "capitals",
            {"train": "Train.CSV", "image": "Image", "label": "Label", "test": "TEST.csv",
             "baseline": {"size": 32}, "metric": "macro_f1"},
        ),
        (
            "folders",
            {"train": "Train", "test": "test_images", "baseline": {"size": 32},
             "metric": "macro_f1"},
        ),
    ],
)  # fmt: skip
def test_a_contest_is_recognised_and_its_yaml_loads(
    root: Root, form: str, expected: dict[str, Any], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder = root(form)
    assert {g.option: g.value for g in guess(folder)} == expected
    to = tmp_path / "conf/data/birds.yaml"
    assert write_contest_yaml(InitConfig(folder=str(folder), to=str(to))) == 0
    told = capsys.readouterr().out
    assert "24 training and 6 test images, 2 classes: jay, owl" in told
    written = yaml.safe_load(to.read_text())
    assert written["name"] == "My-contest-2"
    assert written["root"] == str(folder)
    assert written["metric"] == expected["metric"]
    audit = next(line for line in told.splitlines() if "search.audit" in line)
    config = parse(AuditConfig, shlex.split(audit.partition("search.audit")[2]))
    contest = read_contest(config.data, tmp_path / "runs")
    assert (len(contest.train_images), len(contest.test_images)) == (24, 6)
    assert all(path.is_file() for path in contest.paths)
    assert (contest.groups is not None) == (form == "ids")
    assert len(contest.boxes) == (30 if form == "boxes" else 0)
    with pytest.raises(InputError, match="is there already"):
        write_contest_yaml(InitConfig(folder=str(folder), to=str(to)))


def test_columns_of_the_test_table_that_name_different_images_are_asked_about(
    root: Root, tmp_path: Path
) -> None:
    folder = root("names")
    table = pd.read_csv(folder / "test.csv", dtype=str)
    table.assign(before=[*table["file"][1:], "000.png"]).to_csv(folder / "test.csv", index=False)
    to = tmp_path / "conf/data/birds.yaml"
    with pytest.raises(
        InputError, match=r"'id' and 'before' name .*data\.image=\[image,<column>\]"
    ):
        write_contest_yaml(InitConfig(folder=str(folder), to=str(to)))
    assert not to.parent.exists()
    given = ["data=csv", f"data.root={folder}", "data.name=birds"]
    with pytest.raises(
        InputError, match=r"'image' .*data\.image=\[image,<column>\] names the test"
    ):
        read_contest(parse(AuditConfig, given).data, tmp_path / "runs")
    config = parse(TrainConfig, [*given, "data.image=[image,file]"])
    assert "data.image=[image,file]" in same_contest(config)
    assert read_contest(config.data, tmp_path / "runs").test_images[0] == "100.png"
    with pytest.raises(InputError, match=r"data\.image=.*a column, or that of"):
        parse(AuditConfig, [*given, "data.image=[a,b,c]"])


def test_no_table_is_left_out_without_a_word(root: Root) -> None:
    """Of the same images as the training table: further columns, or a mistake in the test's."""
    folder = root("paths")
    tests = pd.read_csv(folder / "test.csv")
    every = pd.concat([pd.read_csv(folder / "train.csv")[["image"]], tests])
    every.to_csv(folder / "train_test_split.csv", index=False)
    (train,) = [g for g in guess(folder) if g.option == "train"]
    assert train.why.endswith("; not read: train_test_split.csv, of some of the same images")
    tests.loc[4, "image"] = "train/007.png"
    tests.to_csv(folder / "test.csv", index=False)
    with pytest.raises(
        InputError, match=r"test\.csv, row 6: 'train/007\.png' is in train\.csv, row 9, too"
    ):
        guess(folder)


def test_a_folder_in_other_letters_is_called_like_its_file(root: Root, tmp_path: Path) -> None:
    folder = root("paths").rename(tmp_path / "猫と犬")
    for stem in ("cats", "dogs"):
        to = tmp_path / f"data/{stem}.yaml"
        write_contest_yaml(InitConfig(folder=str(folder), to=str(to)))
        assert yaml.safe_load(to.read_text())["name"] == stem


def test_the_metric_of_the_yaml_counts_unless_a_command_names_another(
    root: Root, tmp_path: Path
) -> None:
    to, reason = tmp_path / "conf/data/birds.yaml", "  # the sample submission has a column per"
    write_contest_yaml(InitConfig(folder=str(root("probabilities")), to=str(to)))
    assert f"metric: log_loss{reason}" in to.read_text()
    given = ["--config-dir", str(to.parent.parent), "data=birds", f"runs={tmp_path / 'runs'}"]
    given += ["fix.backbone=test_resnet", "holdout.folds=2", "accept=[duplicates]"]

    def metric(*options: str) -> tuple[str, str]:
        config = parse(TrainConfig, [*given, *options])
        return prepare(config, "train").opening.metric, same_contest(config)

    name, words = metric()
    assert name == "log_loss"
    assert " data.metric=log_loss" in words
    assert metric("metric=accuracy")[0] == "accuracy"
    to.write_text(to.read_text().replace("log_loss", "logloss"))
    with pytest.raises(InputError, match=r"unknown metric 'logloss'.*did you mean log_loss"):
        metric()
    to.write_text(to.read_text().replace("logloss", "team:hits"))
    with pytest.raises(InputError, match=r"data\.metric=team:hits: functions of your own"):
        metric()


@pytest.mark.parametrize(("values", "metric"), [("0.5", "roc_auc"), ("0", "macro_f1")])
def test_fractions_for_one_of_two_classes_are_a_probability(
    root: Root, values: str, metric: str
) -> None:
    folder = root("probabilities")
    sample = pd.read_csv(folder / "sample.csv", dtype=str)[["id"]]
    sample.assign(target=values).to_csv(folder / "sample.csv", index=False)
    assert {g.option: g.value for g in guess(folder)}["metric"] == metric


@pytest.mark.parametrize("column", ["Xmax", "Ymin", "Ymax"])
def test_what_is_no_box_is_not_guessed(root: Root, column: str) -> None:
    """Such as a width and a height, or columns that one table lacks."""
    folder = root("boxes")
    for name, change in (("train.csv", {column: "w"}), ("test.csv", {})):
        table = pd.read_csv(folder / name)
        if not change:
            table.loc[0, column] = 0 if column != "Ymin" else 99
        table.rename(columns=change).to_csv(folder / name, index=False)
        assert "box" not in {g.option for g in guess(folder)}
        root("boxes")


def test_what_is_no_contest_is_told(root: Root, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder= is needed"):
        write_contest_yaml(InitConfig())
    with pytest.raises(InputError, match="there is no such folder"):
        write_contest_yaml(InitConfig(folder=str(tmp_path / "nowhere")))
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "a file").touch()
    with pytest.raises(InputError, match="found neither a table"):
        write_contest_yaml(InitConfig(folder=str(empty), to=str(tmp_path / "data/x.yaml")))
    for place, words in (
        ("data/x.csv", r"must be <folder>/data/<name>\.yaml"),
        ("out/x.yaml", r"must be <folder>/data/<name>\.yaml"),
        ("data/shapes.yaml", "data=shapes is ours"),
        ("data/my birds.yaml", "to='my birds': only letters"),
        ("a file/data/x.yaml", "to=.*/a file/data: cannot write there: Not a directory"),
    ):
        with pytest.raises(InputError, match=words):
            write_contest_yaml(InitConfig(folder=str(empty), to=str(tmp_path / place)))
    folder, to = root("paths"), str(tmp_path / "data/x.yaml")
    table = pd.read_csv(folder / "train.csv")
    table.assign(label="owl").to_csv(folder / "train.csv", index=False)
    with pytest.raises(InputError, match=r"no column of train\.csv has 2 to 12 values, as labels"):
        write_contest_yaml(InitConfig(folder=str(folder), to=to))
    table.loc[23, "image"] = "train/gone.png"
    table.to_csv(folder / "train.csv", index=False)
    with pytest.raises(InputError, match=r"train\.csv, row 25: image 'train/gone\.png' is missing"):
        write_contest_yaml(InitConfig(folder=str(folder), to=to))
    nameless = folder.rename(tmp_path / "(2)")
    with pytest.raises(InputError, match=r"data\.name= is needed.*'\(2\)'"):
        read_contest(DataConfig(root=str(nameless)), tmp_path / "runs")
    assert not Path(to).exists()


def test_what_lies_about_in_folders_of_classes_is_no_class(root: Root) -> None:
    """What systems leave is skipped; what somebody put there and is not read is told."""
    folder = root("folders")
    picture = next((folder / "Train/owl").iterdir()).read_bytes()
    for junk in (".ipynb_checkpoints/a.png", "owl/._000.png", "__MACOSX/owl/000.png"):
        (folder / "Train" / junk).parent.mkdir(parents=True, exist_ok=True)
        (folder / "Train" / junk).write_bytes(picture)
    contest = load_contest(name="c", root=folder, train="Train", test="")
    assert contest.classes == ("jay", "owl")
    assert len(contest.train_images) == 24
    for name, words in (
        ("Train/owl/a.gif", r"owl/a.gif: images of this kind are not read"),
        ("Train/loose.png", r"loose.png lies beside the folders of classes"),
        ("Train/wren/notes.txt", r"wren holds no images that are read"),
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(picture)
        with pytest.raises(InputError, match=words):
            load_contest(name="c", root=folder, train="Train", test="")
        (folder / name).unlink()
    with pytest.raises(InputError, match="wren is empty: every folder"):
        load_contest(name="c", root=folder, train="Train", test="")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("Id,label\n000,owl\n001,\n", r"train.csv, row 3: column 'label' is empty"),
        ("Id,label\nx,owl\ny,jay\n", "no column of train.csv .* are here: 'x', 'owl' in row 2"),
        ("Id,owl,jay\n000,0,1\n001,1,0\n002,1,0\n003,0,1\n", "owl, jay say by 0 and 1"),
    ],
)
def test_why_a_table_was_not_taken_is_told(root: Root, table: str, words: str) -> None:
    folder = root("roots")
    for other in ("test.csv", "sample_submission.csv"):
        (folder / other).unlink()
    (folder / "train.csv").write_text(table)
    with pytest.raises(InputError, match=words):
        guess(folder)
