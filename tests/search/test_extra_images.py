"""Labelled images from elsewhere: read and checked, in every training and in no hold-out."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from results.records.confirmation import confirmation_arms
from search.jobs.preparation import prepare
from search.options.command_line import parse
from search.options.parameters import flatten
from search.options.search_space import resolve_space
from search.options.training import RunConfig
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from tests.tiny import build
from trainables.data.contest import load_contest
from trainables.data.extra import ExtraImages
from trainables.data.folds import make_folds
from trainables.data.image_store import data_digest
from trainables.data.samplings import check_images
from trainables.data.store_building import build_store
from trainables.data.training_set import training_set
from trainables.portable.preparation import Preparation
from trainables.training.context import TrainingContext
from trainables.training.fit import fit


def picture(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    cv2.imwrite(str(path), pixels)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two classes of ten images, four test images, and three from elsewhere."""
    root, rows = tmp_path / "birds", []
    for i in range(20):
        picture(root / f"{i}.png", i)
        rows.append((f"{i}.png", "ab"[i % 2]))
    for i in range(4):
        picture(root / f"t{i}.png", 100 + i)
    for i in range(3):
        picture(tmp_path / "web" / f"{i}.png", 200 + i)
    pd.DataFrame(rows, columns=["image", "label"]).to_csv(root / "train.csv", index=False)
    tests = [f"t{i}.png" for i in range(4)]
    pd.DataFrame({"image": tests}).to_csv(root / "test.csv", index=False)
    web = pd.DataFrame({"image": ["0.png", "1.png", "2.png"], "label": ["b", "b", "a"]})
    web.to_csv(tmp_path / "web" / "labels.csv", index=False)
    return root


def options(root: Path, *more: str) -> list[str]:
    web = root.parent / "web"
    data = ["data=csv", f"data.root={root}", f"data.extra={web / 'labels.csv'}"]
    small = ["fix.backbone=test_resnet", "fix.size=16", "holdout.folds=2", "epochs=2"]
    return [*data, f"data.extra_images={web}", *small, f"runs={root.parent / 'runs'}", *more]


def prepared(root: Path, *more: str) -> Any:
    config = parse(RunConfig, options(root, *more))
    space = resolve_space(config.space, flatten(config.fix), flatten(config.narrow))
    return prepare(config, "label", space)


@pytest.fixture
def context(root: Path, task: TrainingContext) -> TrainingContext:
    web = root.parent / "web"
    contest = load_contest(
        name="birds", root=root, extra=str(web / "labels.csv"), extra_images=str(web)
    )
    store = build_store(contest, Preparation(side=16), root.parent / "store")
    folds = make_folds(contest, 2)
    return replace(task, store=store, folds=folds, classes=contest.classes, extra=contest.extra)


def test_they_are_the_last_rows_of_the_store_and_of_no_fold(context: TrainingContext) -> None:
    assert context.store.images[-3:] == ("0.png", "1.png", "2.png")  # as in the contest's folder
    assert context.test_rows.tolist() == [20, 21, 22, 23]
    assert context.extra_rows.tolist() == [24, 25, 26]
    assert len(context.folds.images) == 20
    for fold in (0, 1):
        config = TrialConfig.of(extra="all", extra_weight=0.25, fold=fold)
        found = training_set(config, context)
        labelled = context.folds.trained_on(fold)
        assert found.rows.tolist() == [*labelled, 24, 25, 26]
        assert found.targets[24:].tolist() == [[0, 0.25], [0, 0.25], [0.25, 0]]
        assert found.strata[24:].tolist() == [1, 1, 0]
        assert found.told == {"train/extra_images": 3}
        without = training_set(config.replace(extra="none"), context)
        assert without.rows.tolist() == labelled.tolist()


def test_a_training_predicts_hold_out_and_test_only(
    context: TrainingContext, small: TrialConfig, tmp_path: Path
) -> None:
    own = replace(context, own={"my:model": build})
    config = small.replace(extra="all", model="my:model", size=16, store_side=16, batch=8)
    reports = [e.report for e in fit(config, own, tmp_path)]
    assert reports[-1]["metrics"]["train/extra_images"] == 3
    with np.load(tmp_path / "test.npz") as test:
        assert test["images"].tolist() == [f"t{i}.png" for i in range(4)]


def test_a_training_without_them_is_refused(context: TrainingContext) -> None:
    with pytest.raises(InputError, match=r"extra=all: there are no extra images; data.extra="):
        check_images(TrialConfig.of(extra="all"), replace(context, extra=None))


def test_they_are_part_of_the_data_s_identity(root: Path) -> None:
    with_them = prepared(root, "space=extra")
    assert with_them.opening.data.extra.startswith("extra-")
    assert ExtraImages.read(Path(with_them.job.extra)).labels.tolist() == [1, 1, 0]
    digest = with_them.opening.data.digest
    assert with_them.warnings == ()
    # Another label is other data.
    table = root.parent / "web" / "labels.csv"
    table.write_text(table.read_text().replace("2.png,a", "2.png,b"))
    again = prepared(root, "space=schedule", "fix.warmup_epochs=0")
    assert again.opening.data.digest != digest
    assert "is not trained on: fix.extra=all does so" in again.warnings[0]
    assert again.opening.folds.digest == with_them.opening.folds.digest
    plain = replace(again.contest, extra=None)
    assert data_digest(plain, again.store) == again.store.digest


@pytest.mark.parametrize(
    ("image", "words"),
    [("3.png", "as one of the contest's.* 1 .3.png and 1.png"), ("t0.png", "t0.png and 1.png")],
)
def test_an_image_of_the_contest_stops_the_search(root: Path, image: str, words: str) -> None:
    shutil.copy(root / image, root.parent / "web" / "1.png")
    with pytest.raises(InputError, match=words.replace(" 1 .", ": 1 .")) as refused:
        prepared(root, "space=extra")
    assert "take them out of data.extra; accept=[duplicates]" in str(refused.value)
    assert "search.audit" not in str(refused.value)
    ready = prepared(root, "space=extra", "accept=[duplicates]")
    assert "images of data.extra that are the same file" in ready.warnings[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("1.png,b", "1.png,c"), r"unknown label 'c'.*labels.csv, row 3|labels.csv, row 3.*'c'"),
        (("1.png", "9.png"), r"labels.csv, row 3: image '9.png' is missing"),
        (("1.png", "0.png"), r"labels.csv, row 3: '0.png' is already listed in row 2"),
        (("1.png", "../birds/1.png"), r"row 3: '../birds/1.png' lies outside"),
        (("image,label", "image,species"), "unknown column 'label'"),
    ],
)
def test_what_is_wrong_is_told_with_its_row(
    root: Path, change: tuple[str, str], words: str
) -> None:
    table = root.parent / "web" / "labels.csv"
    table.write_text(table.read_text().replace(*change))
    with pytest.raises(InputError, match=words):
        prepared(root, "space=extra")


def test_a_table_or_folder_that_is_missing(root: Path) -> None:
    with pytest.raises(InputError, match=r"data.extra=.*nowhere.csv"):
        prepared(root, "space=extra", "data.extra=nowhere.csv")
    with pytest.raises(InputError, match=r"data.extra_images=nowhere: there is no such folder"):
        prepared(root, "space=extra", "data.extra_images=nowhere")


def test_an_image_that_does_not_decode_is_named(root: Path) -> None:
    (root.parent / "web" / "2.png").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"2.png \(data.extra row 4\)"):
        prepared(root, "space=extra")


def test_the_matched_control_does_without() -> None:
    base = TrialConfig()
    winner = base.replace(extra="all", lr=5e-3)
    arms = confirmation_arms(winner, base)
    assert arms["without the extra images"] == winner.replace(extra="none")
