"""The folds of a contest as they were asked for, and how much its images look like the test."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from results.leaderboard.leaderboard import Leaderboard
from search.execution.progress import every_second
from search.options.groups import TEST_LIKE, HoldoutConfig
from spaces.errors import InputError
from spaces.files import whole_file
from trainables.audit.likeness import likest
from trainables.audit.looks import look_at
from trainables.audit.shift import FEWEST, Shift, measure_shift
from trainables.audit.shift_checks import TOLD_FROM
from trainables.data.contest import Contest
from trainables.data.folds import Folds, make_folds

Say = Callable[[str], None]


def contest_folds(contest: Contest, holdout: HoldoutConfig, runs: Path, say: Say) -> Folds:
    """The folds that the options ask for.

    Args:
        contest: Its tables.
        holdout: The options.
        runs: Where the likeness of images to the test is kept.
        say: Told what takes long.

    Raises:
        InputError: If they cannot be made, or test images may not be looked at.
    """
    held = None
    if holdout.rows == TEST_LIKE:
        strata = contest.labels
        likeness = _likeness(contest, runs, say)[: len(strata)]
        held = likest(likeness, strata, contest.groups, holdout.folds)
    return make_folds(contest, holdout.folds, holdout.seed, held)


def check_test_images(contest: Contest, runs: Path, what: str) -> None:
    """Raises InputError unless there are test images and the rules allow to look at them.

    Args:
        contest: Its tables.
        runs: Where the rules are remembered.
        what: What was asked for.
    """
    if not contest.test_images:
        raise InputError(f"{what}: {contest.name} has no test images")
    if not Leaderboard.read(runs / contest.name).test_images:
        raise InputError(
            f"{what}: the rules forbid to look at test images (rules.test_images=false, as "
            "recorded)"
        )


def keep_likeness(contest: Contest, runs: Path, shift: Shift) -> None:
    """Keeps how much images look like the test, for jobs that hold out the likest."""
    path = _likeness_file(contest, runs)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary:
        table = pd.DataFrame({"image": contest.images, "likeness": shift.likeness})
        table.to_csv(temporary, index=False)


def _likeness(contest: Contest, runs: Path, say: Say) -> NDArray[np.float64]:
    """How much each image looks like a test image, measured once per set of files."""
    check_test_images(contest, runs, "holdout=test_like")
    path = _likeness_file(contest, runs)
    if not path.exists():
        looks = look_at(contest, every_second(say, "looking at images"), os.cpu_count() or 1)
        for row in np.flatnonzero(~looks.readable):
            line = looks.table.iloc[row]
            raise InputError(
                f"holdout=test_like: {line['image']} ({line['table']} row {line['row']}) is "
                f"{line['problem']}"
            )
        say("comparing them with the test")
        shift = measure_shift(looks)
        if shift is None:
            raise InputError(
                f"holdout=test_like: at least {FEWEST} training and {FEWEST} test images are needed"
            )
        keep_likeness(contest, runs, shift)
    likeness = _read_likeness(path, contest)
    is_test = np.arange(len(likeness)) >= len(contest.train_images)
    auc = float(roc_auc_score(is_test, likeness))
    if auc < TOLD_FROM:
        say(
            f"test images are hardly told from training images (AUC {auc:.2f}): the hold-out that "
            "looks most like them is about a random one"
        )
    return likeness


def _read_likeness(path: Path, contest: Contest) -> NDArray[np.float64]:
    try:
        table = pd.read_csv(path, dtype={"image": str}, float_precision="round_trip")
        likeness = table["likeness"].to_numpy(np.float64)
        whole = tuple(table["image"]) == contest.images and bool(np.isfinite(likeness).all())
    except (OSError, ValueError, KeyError):
        whole = False
    if not whole:
        raise InputError(f"{path} is damaged; remove it, and it is measured again")
    return likeness


def _likeness_file(contest: Contest, runs: Path) -> Path:
    return runs / contest.name / f"likeness-{contest.files_digest}.csv"
