"""Corrections of labels: what is read, what is refused, what is trained on, what is scored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from results.metrics import METRICS
from results.predictions import Predictions
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from tests.tiny import build
from trainables.data.contest import Contest, load_contest
from trainables.data.contest_corrections import check_left, stored_corrections
from trainables.data.corrections import Corrections, read_corrections
from trainables.data.folds import Folds
from trainables.data.training_set import training_set
from trainables.training.context import TrainingContext
from trainables.training.fit import fit

IMAGES = ("a.png", "b.png", "c.png", "d.png")
GIVEN = np.array([0, 1, 0, 1])
CLASSES = ("no", "yes")


def write(folder: Path, text: str) -> Path:
    path = folder / "fixes.csv"
    path.write_text(text)
    return path


def read(folder: Path, text: str) -> Corrections:
    return read_corrections(write(folder, text), IMAGES, GIVEN, CLASSES)


def test_a_person_relabels_leaves_out_and_finds_right(tmp_path: Path) -> None:
    text = "image,given,label,score\nd.png,yes,no,0.1\nb.png,yes,,0.2\na.png,no,no,0.3\n"
    found = read(tmp_path, text)
    assert found.labels.tolist() == [0, 1, 0, 0]
    assert found.relabelled.tolist() == [False, False, False, True]
    assert found.left_out.tolist() == [False, True, False, False]
    assert found.touched.tolist() == [False, True, False, True]
    assert found.looked_at.tolist() == [0, 1, 3]
    assert found.summary == {"digest": found.digest, "relabelled": 1, "left_out": 1}
    semicolons = read(tmp_path, "\ufefflabel;image\n;b.png\nno;d.png\nno;a.png\n")
    assert semicolons.digest == found.digest  # order, separator and other columns do not matter
    assert read(tmp_path, "image,label\nd.png,no\n").digest != found.digest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,label\ne.png,no\n", r"fixes\.csv, row 2: 'e\.png' is no image of the training"),
        ("image,label\na.png,yes\na.png,no\n", r"row 3: 'a\.png' is already listed in row 2"),
        ("image,label\nb.png,no\na.png,yess\n", r"'yess' \(in .*fixes\.csv, row 3\): did you mean"),
        (
            "image,given,label\na.png,yes,no\n",
            r"row 2: 'a\.png' has the label 'no' in the training table, not 'yes'",
        ),
        ("image,lable\na.png,yes\n", r"unknown column 'label' .*did you mean lable"),
        ("image,label\n", "has no rows"),
        ("", "the first line is blank"),
        ("image,label\na.png,no\nb.png,yes\n", "corrects nothing"),
    ],
)
def test_bad_input_is_told_with_file_and_row(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read(tmp_path, text)


def test_a_missing_table_is_told_with_its_option(digits_folder: Path) -> None:
    with pytest.raises(InputError, match=r"data\.corrections=fixes\.csv, looked for in"):
        load_contest(name="digits", root=digits_folder, corrections="fixes.csv")


def test_what_is_stored_is_read_back_and_changes_are_noticed(tmp_path: Path) -> None:
    found = read(tmp_path, "image,label\nd.png,no\nb.png,\n")
    path = found.write(tmp_path)
    assert path.name == f"corrections-{found.digest}.csv"
    again = stored_corrections(path, IMAGES, GIVEN, CLASSES)
    assert again.digest == found.digest
    assert (again.labels == found.labels).all()
    assert (again.left_out == found.left_out).all()
    path.write_text(path.read_text().replace("d.png,yes,no", "d.png,yes,"))
    with pytest.raises(InputError, match="was changed"):
        stored_corrections(path, IMAGES, GIVEN, CLASSES)


@pytest.fixture(scope="module")
def folds(task: TrainingContext) -> Folds:
    """Those that trainings of tests have."""
    return task.folds


@pytest.fixture(scope="module")
def corrections(contest: Contest, folds: Folds, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Every tenth image is said to be of the next class, every thirteenth is not to be used."""
    path = tmp_path_factory.mktemp("fixes") / "fixes.csv"
    lines = ["image,label"]
    for row, (image, label) in enumerate(zip(folds.images, folds.labels, strict=True)):
        if row % 13 == 0:
            lines.append(f"{image},")
        elif row % 10 == 0:
            lines.append(f"{image},{contest.classes[(label + 1) % 10]}")
    path.write_text("\n".join(lines))
    return read_corrections(path, folds.images, folds.labels, contest.classes)


@pytest.fixture
def context(task: TrainingContext, corrections: Corrections) -> TrainingContext:
    return replace(task, corrections=corrections, own={"tests.tiny:build": build})


def asked(corrections: Corrections, **labels: Any) -> TrialConfig:
    return TrialConfig.of(corrections=corrections.digest, **labels)


def test_each_kind_trains_on_what_it_says(
    context: TrainingContext, corrections: Corrections, folds: Folds
) -> None:
    rows, eye = folds.trained_on(0), np.eye(10, dtype=np.float32)
    given = training_set(asked(corrections), context)
    assert given.rows.tolist() == rows.tolist()
    assert (given.targets == eye[folds.labels]).all()

    relabelled = training_set(asked(corrections, labels="relabel"), context)
    assert set(rows) - set(relabelled.rows) == set(rows[corrections.left_out[rows]])
    assert (relabelled.targets[relabelled.rows] == eye[corrections.labels[relabelled.rows]]).all()
    assert (relabelled.strata == corrections.labels).all()
    assert (relabelled.strata != folds.labels).any()

    dropped = training_set(asked(corrections, labels="drop"), context)
    assert set(rows) - set(dropped.rows) == set(rows[corrections.touched[rows]])
    assert (dropped.targets[dropped.rows] == eye[folds.labels[dropped.rows]]).all()

    lighter = training_set(asked(corrections, labels="downweight", label_weight=0.25), context)
    assert lighter.rows.tolist() == rows.tolist()
    counts = np.where(corrections.touched, 0.25, 1)
    assert lighter.targets.sum(axis=1) == pytest.approx(counts)
    assert (lighter.targets.argmax(axis=1) == folds.labels).all()


@pytest.mark.parametrize("kind", ["given", "relabel", "drop", "downweight"])
def test_held_out_images_are_never_trained_on(
    context: TrainingContext, corrections: Corrections, folds: Folds, kind: str
) -> None:
    for fold in range(folds.count):
        learned = training_set(asked(corrections, labels=kind, fold=fold), context)
        assert not set(learned.rows) & set(folds.held_out(fold))


def test_corrections_that_are_not_those_of_the_data_are_refused(
    task: TrainingContext, context: TrainingContext, corrections: Corrections
) -> None:
    config = asked(corrections, labels="relabel")
    for data in (task, replace(context, corrections=None)):
        with pytest.raises(InputError, match="labels=relabel: its corrections are not those"):
            training_set(config, data)
    with pytest.raises(InputError, match="labels=drop"):
        training_set(TrialConfig.of(labels="drop", corrections="another"), context)
    with pytest.raises(InputError, match="label_weight must be between 0 and 1"):
        TrialConfig.of(labels="downweight", label_weight=1.0)


def test_scores_stay_on_labels_as_given(
    task: TrainingContext,
    context: TrainingContext,
    corrections: Corrections,
    folds: Folds,
    small: TrialConfig,
    tmp_path: Path,
) -> None:
    plain = small.replace(epochs=1, warmup_epochs=0, model="tests.tiny:build")
    without = replace(task, own={"tests.tiny:build": build})
    (before,) = [e.report["metrics"] for e in fit(plain, without, tmp_path / "plain")]
    assert "val/macro_f1_corrected" not in before
    config = plain.replace(corrections=corrections.digest)
    (same,) = [e.report["metrics"] for e in fit(config, context, tmp_path / "given")]
    assert same.items() >= before.items()  # the same training, and one number more
    (other,) = [
        e.report["metrics"]
        for e in fit(config.replace(labels="relabel"), context, tmp_path / "relabel")
    ]
    rows, metric = folds.held_out(0), METRICS["macro_f1"]
    used = rows[~corrections.left_out[rows]]
    assert len(used) < len(rows)
    for folder, told in (("given", same), ("relabel", other)):
        found = Predictions.read(tmp_path / folder / "holdout.npz").probabilities
        assert told["val/macro_f1"] == metric.score(folds.labels[rows], found)
        of_used = found[~corrections.left_out[rows]]
        assert told["val/macro_f1_corrected"] == metric.score(corrections.labels[used], of_used)
    assert other["train/loss"] != same["train/loss"]


def test_a_class_that_would_have_no_image_left_is_told(
    contest: Contest, folds: Folds, corrections: Corrections, tmp_path: Path
) -> None:
    for kind in ("relabel", "drop"):
        check_left(kind, corrections, None, folds)
    lines = [
        f"{image},"
        for image, label, fold in zip(folds.images, folds.labels, folds.fold, strict=True)
        if label == 7 and fold != 2
    ]
    path = write(tmp_path, "\n".join(["image,label", *lines]))
    found = read_corrections(path, folds.images, folds.labels, contest.classes)
    for kind in ("relabel", "drop"):
        words = rf"labels={kind}: of class '7' .* no image .* where fold 2 is held out"
        with pytest.raises(InputError, match=words):
            check_left(kind, found, None, folds)
    check_left("downweight", found, None, folds)
