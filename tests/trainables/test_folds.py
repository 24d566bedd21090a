"""Folds: stratified, grouped, stored, and checked when read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spaces.errors import InputError
from trainables.data.contest import Contest
from trainables.data.folds import Folds, make_folds
from trainables.data.image_files import ImageFiles


def contest_of(labels: list[int], groups: list[str] | None = None) -> Contest:
    return Contest(
        name="c",
        files=ImageFiles(Path()),
        train_images=tuple(f"{i}.png" for i in range(len(labels))),
        test_images=(),
        labels=np.array(labels, np.int64),
        classes=tuple(map(str, range(max(labels) + 1))),
        groups=None if groups is None else np.array(groups),
    )


def test_every_image_is_held_out_once_and_classes_are_even(folds: Folds) -> None:
    rows = np.concatenate([folds.held_out(f) for f in range(5)])
    assert sorted(rows) == list(range(len(folds.labels)))
    for fold in range(5):
        counts = np.bincount(folds.labels[folds.held_out(fold)])
        assert counts.max() - counts.min() <= 4
        assert not set(folds.held_out(fold)) & set(folds.trained_on(fold))


def test_groups_never_stand_on_both_sides() -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 30, 300).astype(str)
    folds = make_folds(contest_of(rng.integers(0, 3, 300).tolist(), groups.tolist()), 5)
    for fold in range(5):
        held, trained = groups[folds.held_out(fold)], groups[folds.trained_on(fold)]
        assert not set(held) & set(trained)


def test_a_stored_assignment_round_trips_and_guards_itself(folds: Folds, tmp_path: Path) -> None:
    path = folds.write(tmp_path)
    assert Folds.read(path).digest == folds.digest
    assert folds.write(tmp_path) == path
    table = pd.read_csv(path)
    table.loc[0, "fold"] = (table.loc[0, "fold"] + 1) % 5  # type: ignore[operator]
    table.to_csv(path, index=False)
    with pytest.raises(InputError, match="was changed"):
        Folds.read(path)


def test_a_group_in_two_folds_is_refused_when_read(tmp_path: Path) -> None:
    folds = make_folds(contest_of([0, 1] * 6, list("aabbccddeeff")), 2)
    path = folds.write(tmp_path)
    table = pd.read_csv(path)
    table["group"] = "same"
    table.to_csv(path, index=False)
    with pytest.raises(InputError, match="group 'same' stands in folds"):
        Folds.read(path)


def test_seeds_differ_and_repeat(contest: Contest) -> None:
    assert make_folds(contest, 5, 0).digest == make_folds(contest, 5, 0).digest
    assert make_folds(contest, 5, 0).digest != make_folds(contest, 5, 1).digest


def test_too_many_folds() -> None:
    with pytest.raises(InputError, match="class '1' has only 2 images"):
        make_folds(contest_of([0] * 10 + [1] * 2), 3)
    with pytest.raises(InputError, match="class '1' has only 1 image; drop the class"):
        make_folds(contest_of([0] * 10 + [1]), 3)
    with pytest.raises(InputError, match="only 2 groups"):
        make_folds(contest_of([0, 1] * 6, ["a"] * 6 + ["b"] * 6), 3)
    with pytest.raises(InputError, match="class '1' has images of only one group"):
        make_folds(contest_of([0] * 6 + [1] * 6, [*"aabbcc", *"dddddd"]), 2)
    with pytest.raises(InputError, match="at least 2"):
        make_folds(contest_of([0, 1]), 1)
