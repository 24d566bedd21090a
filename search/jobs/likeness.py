"""How much the images of a contest look like its test, kept beside the folds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from search.execution.say import Say
from search.jobs.contest_folds import check_test_images
from search.jobs.whole_looks import whole_looks
from spaces.csv_table import write_csv_table
from spaces.errors import InputError
from trainables.audit.shift import FEWEST, Shift, measure_shift
from trainables.audit.shift_checks import TOLD_FROM
from trainables.data.contest import Contest


def keep_likeness(contest: Contest, runs: Path, shift: Shift) -> None:
    """Keeps how much images look like the test, for jobs that hold out the likest."""
    path = _likeness_file(contest, runs)
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame({"image": contest.images, "likeness": shift.likeness})
    write_csv_table(table, path)


def likeness_to_the_test(contest: Contest, runs: Path, say: Say) -> NDArray[np.float64]:
    """How much each image looks like a test image, measured once per set of files.

    Args:
        contest: Its tables.
        runs: Where it is kept.
        say: Told what takes long.

    Returns:
        float64, of all training and test images.

    Raises:
        InputError: If the rules forbid it, an image cannot be read, or there are too few.
    """
    check_test_images(contest, runs, "holdout=test_like")
    path = _likeness_file(contest, runs)
    if not path.exists():
        looks = whole_looks(contest, "holdout=test_like", say)
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
            f"test and training images can hardly be told apart (AUC {auc:.2f}): a hold-out that "
            "looks like the test is about a random one"
        )
    return likeness


def _read_likeness(path: Path, contest: Contest) -> NDArray[np.float64]:
    try:
        table = pd.read_csv(
            path, dtype={"image": str}, keep_default_na=False, float_precision="round_trip"
        )
        likeness = table["likeness"].to_numpy(np.float64)
        whole = tuple(table["image"]) == contest.images and bool(np.isfinite(likeness).all())
    except (OSError, ValueError, KeyError):
        whole = False
    if not whole:
        raise InputError(f"{path} is damaged; remove it, and it is measured again")
    return likeness


def _likeness_file(contest: Contest, runs: Path) -> Path:
    return runs / contest.name / f"likeness-{contest.files_digest}.csv"
