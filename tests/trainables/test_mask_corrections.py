"""Masks that should not be used: read, checked, and what trainings make of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from search.options.groups import DataConfig
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from tests.discs import CLASSES, discs
from tests.mask_promotion import FORM
from trainables.data.contest import Contest, load_contest
from trainables.data.corrections import check_left, stored_corrections
from trainables.data.folds import make_folds
from trainables.data.labellings import labelled


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
    again = stored_corrections(
        found.write(tmp_path), contest.train_images, contest.labels, contest.classes
    )
    assert again.digest == found.digest
    assert (again.left_out == found.left_out).all()
    assert (again.looked_at == found.looked_at).all()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,label\ntrain/003.png,no\n", "unknown column 'use'"),
        ("image,use\ntrain/999.png,no\n", "row 2: 'train/999.png' is no image of the training"),
        ("image,use\ntrain/003.png,maybe\n", "unknown use 'maybe'.*row 2.*choices: no, yes"),
        ("image,use\ntrain/003.png,no\ntrain/003.png,no\n", "row 3: .* already listed in row 2"),
        ("image,use\ntrain/003.png,yes\n", "corrects nothing: every mask in it is used"),
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
    check_left(contest.corrections, folds, contest.shows)
    full = [i for i in range(32) if i % 8 != 7]  # the others are empty
    contest = read(tmp_path, "image,use\n" + "".join(f"train/{i:03d}.png,no\n" for i in full))
    assert contest.corrections is not None
    with pytest.raises(InputError, match="of class 'disc' no image"):
        check_left(contest.corrections, folds, contest.shows)


def test_masks_may_be_corrected_but_have_no_boxes() -> None:
    assert DataConfig(mask="mask", corrections="c.csv").corrections == "c.csv"
    with pytest.raises(InputError, match=r"data\.box= is for classes of whole images"):
        DataConfig(mask="mask", box=["a", "b", "c", "d"])
