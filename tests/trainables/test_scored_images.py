"""A sample of held-out images is scored before the last epoch of a training on windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from results.predictions import Predictions
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from trainables.data.even_sample import even_sample
from trainables.data.folds import Folds
from trainables.data.scored_images import FEWEST, affordable_images, held_out_rows
from trainables.training.context import TrainingContext
from trainables.training.fit import fit


def split(images: int, held_out: int) -> Folds:
    """The first images are fold 0, every tenth is of a class of its own."""
    rows = np.arange(images)
    return Folds(
        images=tuple(map(str, rows)),
        labels=(rows % 10 == 9).astype(np.int64),
        fold=(rows >= held_out).astype(np.int64),
    )


def test_every_class_has_its_share_and_smaller_samples_are_parts_of_larger_ones() -> None:
    rows, strata = np.arange(100, 200), np.array([0] * 90 + [1] * 9 + [2])
    before: set[int] = set()
    for count in (3, 10, 40, 100):
        found = even_sample(rows, strata, count, seed=0)
        assert len(found) == count
        assert (np.diff(found) > 0).all()
        assert before <= set(found.tolist())
        before = set(found.tolist())
        assert set(strata[found - 100].tolist()) == {0, 1, 2}
    assert (strata[even_sample(rows, strata, 40, seed=0) - 100] == 1).sum() in (3, 4)


def test_all_trainings_are_scored_on_the_same_images() -> None:
    folds = split(500, 200)
    one = TrialConfig.of(framing="windows", shape="native", size=64, scored_images=40)
    rows = held_out_rows(one, folds, last=False)
    assert len(rows) == 40
    assert set(rows.tolist()) <= set(range(200))
    assert (rows % 10 == 9).sum() == 4
    other = one.replace(size=32, window_scale=0.5, seed=7, lr=1e-2)
    np.testing.assert_array_equal(held_out_rows(other, folds, last=False), rows)
    np.testing.assert_array_equal(held_out_rows(one, folds, last=True), np.arange(200))
    whole = TrialConfig.of(size=64)
    np.testing.assert_array_equal(held_out_rows(whole, folds, last=False), np.arange(200))


@pytest.mark.parametrize(
    ("size", "scale", "trained", "count"),
    [
        (96, 1.0, 1000, 112),  # 3 x 3 windows
        (96, 0.5, 1000, 500),  # 1 x 2
        (96, 1.0, 90, FEWEST),
        (512, 1.0, 100, 0),  # one window: all are scored
    ],
)
def test_an_epoch_scores_as_many_windows_as_it_trains_on(
    size: int, scale: float, trained: int, count: int
) -> None:
    config = TrialConfig.of(framing="windows", shape="native", size=size, window_scale=scale)
    folds = split(600 + trained, 600) if count else split(200, 100)
    sizes = np.array([[180, 240]] * len(folds.labels))
    assert affordable_images(config, folds, sizes) == count


def test_the_last_epoch_scores_all_and_learns_no_other_way(
    native: TrainingContext, windows: TrialConfig, tmp_path: Path
) -> None:
    some, every = windows.replace(scored_images=3), windows
    reports = [epoch.report["metrics"] for epoch in fit(some, native, tmp_path / "some")]
    first = next(iter(fit(some, native, tmp_path / "one")))
    assert first.report["metrics"]["val/images"] == 3
    assert len(Predictions.read(tmp_path / "one/holdout.npz").images) == 3
    assert "val/images" not in reports[-1]
    whole = [epoch.report["metrics"] for epoch in fit(every, native, tmp_path / "all")]
    assert "val/images" not in whole[0]
    assert reports[-1] == whole[-1]
    assert reports[0]["train/loss"] == whole[0]["train/loss"]
    held = Predictions.read(tmp_path / "some/holdout.npz")
    assert len(held.images) == len(native.folds.held_out(0))


def test_it_is_no_parameter_of_a_search() -> None:
    with pytest.raises(InputError, match=r"set it with predict\.scored_images="):
        TrialConfig().with_params({"scored_images": 8})
    with pytest.raises(InputError, match="scored_images must be 0 or more"):
        TrialConfig.of(framing="windows", shape="native", scored_images=-1)
