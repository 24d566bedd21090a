"""Hold-outs of what looks most like the test, and of a column."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from results.masks.planes import Planes
from results.masks.truth import Truth
from spaces.errors import InputError
from tests.trainables.test_audit import scene, write
from tests.trainables.test_folds import contest_of
from trainables.audit.likeness import likest
from trainables.data.contest import Contest, load_contest
from trainables.data.folds import make_folds


@pytest.mark.parametrize("count", [2, 5])
def test_a_hold_out_like_the_test(count: int) -> None:
    rng = np.random.default_rng(0)
    strata = rng.integers(0, 3, 300)
    likeness = rng.uniform(size=300)
    contest = contest_of(strata.tolist())
    fold = make_folds(contest, count, held=likest(likeness, strata, None, count)).fold
    assert sorted(set(fold.tolist())) == list(range(count))
    for stratum in range(3):
        here = strata == stratum
        held = likeness[here & (fold == 0)]
        assert abs(len(held) - here.sum() / count) < 1
        assert held.min() > likeness[here & (fold != 0)].max()  # the likest of each class
    groups = [f"g{i // 6}" for i in range(300)]
    held_out = likest(likeness, strata, np.array(groups), count)
    whole = make_folds(contest_of(strata.tolist(), groups), count, held=held_out).fold
    assert pd.Series(whole).groupby(groups).nunique().max() == 1
    share = np.bincount(strata[whole == 0], minlength=3) / np.bincount(strata)
    assert (np.abs(share - 1 / count) < 0.08).all()
    assert likeness[whole == 0].mean() > likeness[whole != 0].mean() + 0.05


def test_every_class_is_held_out_and_left_to_train_on() -> None:
    # Class 1 has few and large groups, none of which fits into its share of 8 images.
    strata = np.array([0] * 60 + [1] * 40)
    groups = np.array([f"a{i}" for i in range(60)] + [f"b{i // 10}" for i in range(40)])
    likeness = np.linspace(1, 0, 100)
    held = likest(likeness, strata, groups, 3)
    assert sorted(set(groups[held & (strata == 1)])) == ["b0"]
    # Whatever looks like the test, the other folds get groups of every class.
    few = np.array([0] * 60 + [1] * 3)
    held = likest(np.arange(63.0), few, None, 3)
    assert held[few == 1].sum() == 1
    one = np.array([f"g{i}" for i in range(60)] + ["only"] * 3)
    with pytest.raises(InputError, match="whole groups leave a class on one side"):
        likest(np.arange(63.0), few, one, 3)


def test_a_class_needs_images_on_both_sides() -> None:
    contest = contest_of([0] * 10 + [1] * 10)
    with pytest.raises(InputError, match="no image of class '1' is held out"):
        make_folds(contest, 3, held=np.arange(20) < 4)
    with pytest.raises(
        InputError, match=r"holdout.folds=5: class '1' has only 3 images besides those that are"
    ):
        make_folds(contest, 5, held=(np.arange(20) < 3) | (np.arange(20) > 12))


@pytest.fixture
def columns(tmp_path: Path) -> Path:
    """A contest of 30 images with columns that say what is held out, well and badly."""
    rng = np.random.default_rng(0)
    for i in range(30):
        write(tmp_path / f"train/{i:02d}.png", scene(rng, 16))
    pd.DataFrame(
        {
            "image": [f"train/{i:02d}.png" for i in range(30)],
            "label": ["cat", "dog", "eel"] * 10,
            "part": ["Val" if i < 6 else "train" for i in range(30)],
            "odd": ["true" if i < 6 else "perhaps" for i in range(30)],
            "all": ["1"] * 30,
            "holes": ["yes" if i % 2 else "" for i in range(30)],
            "group": [f"g{i // 5}" for i in range(30)],
        }
    ).to_csv(tmp_path / "train.csv", index=False)
    return tmp_path


def of(root: Path, holdout: str, group: str = "") -> Contest:
    return load_contest(name="c", root=root, test="", holdout=holdout, group=group)


def test_a_column_says_what_is_held_out(columns: Path) -> None:
    contest = of(columns, "part")
    folds = make_folds(contest, 3)
    assert folds.held_out(0).tolist() == list(range(6))
    assert np.bincount(folds.fold).tolist() == [6, 12, 12]
    assert make_folds(contest, 3, seed=1).digest != folds.digest  # the rest is shuffled
    table = pd.read_csv(columns / "train.csv")
    table.assign(holdout=table["part"])[["image", "holdout"]].to_csv(
        columns / "held.csv", index=False
    )
    assert make_folds(of(columns, str(columns / "held.csv")), 3).digest == folds.digest


def test_bad_columns_are_refused_with_their_row(columns: Path) -> None:
    for column, words in {
        "odd": r"'perhaps' \(in holdout=odd, training row 8\): .*validation",
        "all": "holdout=all: all images are held out",
        "holes": "row 2: column 'holes' is empty",
        "prat": "did you mean part",
    }.items():
        with pytest.raises(InputError, match=words):
            of(columns, column)
    with pytest.raises(InputError, match="group 'g1' stands on both sides, in training rows 7 and"):
        of(columns, "part", "group")


def test_a_class_of_masks_that_is_held_out_alone_is_refused() -> None:
    """Masks are shared out by the rarest class of an image, which need not be this one."""
    masks = np.zeros((30, 4, 4), np.uint8)
    masks[::2, 0] = 1
    masks[:2, 1] = 2  # both of them held out
    names = tuple(f"{i}.png" for i in range(30))
    truth = Truth(
        images=names,
        classes=("nothing", "disc", "line"),
        background=0,
        numbers=(0, 1, 2),
        void=-1,
        masks=Planes.of(masks),
    )
    contest = dataclasses.replace(
        contest_of(truth.strata.tolist()), classes=truth.classes, truth=truth
    )
    held = np.arange(30) < 6
    with pytest.raises(InputError, match="holdout: class 'line' has images in one fold only"):
        make_folds(contest, 3, held=held)
    held[0] = False
    assert make_folds(contest, 3, held=held).count == 3
