"""Masks that should not be used: read, checked, and what trainings make of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from results.masks.counts import VOID
from results.masks.metrics import MASK_METRICS
from results.masks.planes import Planes
from results.predictions import MASKS, SIZES, Head, Predictions
from results.tasks.tasks import TASKS
from search.options.groups import DataConfig
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from tests.discs import CLASSES, discs
from tests.mask_promotion import FORM, sure
from trainables.data.contest import Contest, load_contest
from trainables.data.contest_corrections import check_left, stored_corrections
from trainables.data.folds import make_folds
from trainables.data.labellings import labelled
from trainables.data.mask_corrections import MaskCorrections
from trainables.data.store_building import build_store
from trainables.data.training_set import training_set
from trainables.portable.preparation import Preparation
from trainables.tasks.tasks import TRAINING_TASKS
from trainables.training.context import TrainingContext
from trainables.training.scores import beside_corrected


def read(folder: Path, text: str) -> Contest:
    path = folder / "corrections.csv"
    path.write_text(text)
    root = folder / "discs"
    if not root.exists():
        discs(root)
    return load_contest(
        name="discs",
        root=root,
        group="sequence",
        classes=CLASSES,
        masks=FORM,
        corrections=str(path),
    )


def test_what_should_not_be_used_is_left_out_or_counts_less(tmp_path: Path) -> None:
    contest = read(tmp_path, "image,use\ntrain/003.png,no\ntrain/001.png,yes\n")
    found = contest.corrections
    assert found is not None
    assert found.looked_at.tolist() == [1, 3]
    assert np.flatnonzero(found.touched).tolist() == [3]
    for kind, count in (("given", 1.0), ("drop", 0.0), ("relabel", 0.0), ("downweight", 0.4)):
        config = TrialConfig.of(labels=kind, corrections=found.digest)
        if kind == "downweight":
            config = config.replace(label_weight=0.4)
        labels, counts = labelled(config, contest.labels, found)
        assert (labels == contest.labels).all()
        expected = np.ones(32, np.float32)
        expected[3] = count
        assert np.allclose(counts, expected), kind


def test_they_are_stored_and_read_back(tmp_path: Path) -> None:
    contest = read(tmp_path, "image,use\ntrain/003.png,no\ntrain/001.png,yes\n")
    found = contest.corrections
    assert found is not None
    assert contest.truth is not None
    about = (contest.train_images, contest.labels, contest.classes, contest.truth)
    again = stored_corrections(found.write(tmp_path), *about)
    assert again.digest == found.digest
    assert (again.left_out == found.left_out).all()
    assert (again.looked_at == found.looked_at).all()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,label\ntrain/003.png,no\n", "unknown column 'use'"),
        ("image,use\ntrain/999.png,no\n", "row 2: 'train/999.png' is no image of the training"),
        (
            "image,use\ntrain/003.png,maybe\n",
            "unknown use 'maybe'.*row 2.*: no, predicted, void",
        ),
        ("image,use\ntrain/003.png,no\ntrain/003.png,no\n", "row 3: .* already listed in row 2"),
        ("image,use\ntrain/003.png,yes\n", "corrects nothing: every mask in it is used"),
        ("image,use\ntrain/003.png,void\n", "row 2: use=void needs a region: run lengths"),
        (
            "image,use,region\ntrain/003.png,void,5 9999\n",
            "row 2: run '5 9999' ends beyond the 3072 pixels",
        ),
        (
            "image,use,predicted,region\ntrain/003.png,predicted,dics,5 9\n",
            "unknown class 'dics'.*row 2, column predicted.*did you mean disc",
        ),
    ],
)
def test_bad_tables_are_refused(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        read(tmp_path, text)


def test_every_class_has_to_be_left_in_some_mask(tmp_path: Path) -> None:
    some = "".join(f"train/{i:03d}.png,no\n" for i in range(8))
    contest = read(tmp_path, "image,use\n" + some)
    assert contest.corrections is not None
    folds = make_folds(contest, 4)
    for kind in ("relabel", "drop"):
        check_left(kind, contest.corrections, contest.truth, folds)
    full = [i for i in range(32) if i % 8 != 7]  # the others are empty
    contest = read(tmp_path, "image,use\n" + "".join(f"train/{i:03d}.png,no\n" for i in full))
    assert contest.corrections is not None
    for kind in ("relabel", "drop"):
        with pytest.raises(InputError, match=f"labels={kind}: of class 'disc' .* no image"):
            check_left(kind, contest.corrections, contest.truth, folds)
    check_left("downweight", contest.corrections, contest.truth, folds)


def test_a_class_may_be_left_in_corrected_masks_only(tmp_path: Path) -> None:
    """Where every mask of it was touched, relabelling keeps it, and leaving out does not."""
    full = [i for i in range(32) if i % 8 != 7]
    corner = "".join(f"train/{i:03d}.png,void,1 9\n" for i in full)
    contest = read(tmp_path, "image,use,region\n" + corner)
    folds = make_folds(contest, 4)
    assert contest.corrections is not None
    check_left("relabel", contest.corrections, contest.truth, folds)
    with pytest.raises(InputError, match=r"labels=drop: of class 'disc' .* no image"):
        check_left("drop", contest.corrections, contest.truth, folds)
    everything = "".join(
        f"train/{i:03d}.png,void,1 {48 * 64 if i // 4 % 2 == 0 else 40 * 56}\n" for i in full
    )
    contest = read(tmp_path, "image,use,region\n" + everything)
    assert contest.corrections is not None
    with pytest.raises(InputError, match=r"labels=relabel: of class 'disc' .* no image"):
        check_left("relabel", contest.corrections, contest.truth, folds)


def test_masks_may_be_corrected_but_have_no_boxes() -> None:
    assert DataConfig(mask="mask", corrections="c.csv").corrections == "c.csv"
    with pytest.raises(InputError, match=r"data\.box= is for classes of whole images"):
        DataConfig(mask="mask", box=["a", "b", "c", "d"])


def test_regions_are_void_or_what_was_predicted(tmp_path: Path) -> None:
    """At whatever size masks are trained, and nowhere else; scores stay beside masks as given."""
    runs = " ".join(f"{48 * column + 1} 10" for column in range(20))  # 10 rows of 20 columns
    text = (
        "image,use,predicted,region\n"
        f"train/001.png,void,disc,{runs}\n"
        f"train/002.png,predicted,bar,{runs}\n"
        f"train/003.png,yes,bar,{runs}\n"
        f"train/000.png,predicted,bar,{runs}\ntrain/000.png,no,,1 1\n"
    )
    contest = read(tmp_path, text)
    truth, changes = contest.truth, contest.corrections
    assert truth is not None
    assert isinstance(changes, MaskCorrections)
    assert changes.summary["relabelled"] == 2
    assert changes.summary["left_out"] == 1
    for row, value in ((1, VOID), (2, 2), (3, None), (0, None)):
        for factor in (1, 2):
            mask = np.kron(truth.masks[row], np.ones((factor, factor), np.uint8))
            expected = mask.copy()
            if value is not None:
                expected[: 10 * factor, : 20 * factor] = value
            np.testing.assert_array_equal(changes.corrected(row, mask), expected)
    folds = make_folds(contest, 4)
    context = TrainingContext(
        task=TRAINING_TASKS["segmentation"],
        store=build_store(contest, Preparation(side=0, shape="native"), tmp_path),
        folds=folds,
        classes=contest.classes,
        metric=MASK_METRICS["mean_iou"],
        truth=truth,
        corrections=changes,
    )
    for kind in ("given", "drop", "relabel"):
        config = TrialConfig.of(labels=kind, corrections=changes.digest, fold=3)
        learned = training_set(config, context)
        assert (learned.corrected is not None) == (kind == "relabel")
        assert (0 in learned.rows) == (kind == "given" and 0 in folds.trained_on(3))
    rows = np.array([0, 1, 2, 3], np.int64)
    said = Planes.of(sure(truth.masks[row]) for row in rows)
    images = tuple(contest.train_images[:4])
    heads: dict[str, Head] = {MASKS: said, SIZES: truth.masks.shapes[:4].astype(np.float32)}
    given = Predictions(images=images, classes=CLASSES, heads=heads)
    judged = TASKS["segmentation"].judged(given, truth, edges=False)
    beside = beside_corrected(judged, rows, context)
    np.testing.assert_array_equal(beside[[0, 3]], judged.judged[[0, 3]])
    assert beside[1, 1] == judged.judged[1, 1] - 200  # void pixels do not count
    assert beside[2, 0] < beside[2, 1] == judged.judged[2, 1]
