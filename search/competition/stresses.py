"""The stress of a contest: fitted, printed, kept, and offered to searches."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.execution.say import every_second, say
from search.jobs.contest_data import read_contest
from search.jobs.contest_folds import check_test_images
from search.options.audit import StressConfig
from search.options.exit_codes import OK
from search.options.parameters import flatten, with_given
from search.options.user_code import preparation_of
from spaces.augmentation.magnitude import GROUPS
from spaces.augmentation.stress import Stress
from spaces.errors import InputError
from spaces.size import parse_size
from spaces.trial_config import TrialConfig
from trainables.audit.stress import FEWEST, SAMPLE, fit_stress, stress_of
from trainables.data.contest import Contest
from trainables.data.image_store import store_side
from trainables.data.store_building import build_store

AROUND = 2.0
"""Ranges that are offered to searches reach from so many times below to as many above."""


def fit_contest_stress(config: StressConfig) -> int:
    """Fits, prints, and keeps what is worth it; returns the exit code.

    Raises:
        InputError: If the tables cannot be read, there are too few images, or the rules forbid it.
    """
    runs = Path(config.runs)
    contest = read_contest(config.data, runs)
    check_test_images(contest, runs, "search.stress")
    fewest = min(len(contest.train_images), len(contest.test_images))
    if fewest < FEWEST:
        raise InputError(f"a stress needs {FEWEST} images of either side, and there are {fewest}")
    base = with_given(TrialConfig(), flatten(config.data.baseline), "data.baseline")
    size = parse_size(config.size) if config.size else base.data.size
    folder = runs / contest.name
    base = base.replace(size=size, store_side=config.store.side or store_side(max(size)))
    store = build_store(
        contest,
        preparation_of(base, "", "search.stress"),
        Path(config.store.folder) if config.store.folder else folder / "store",
        say,
        every_second(say, "decoding images"),
    )
    train, test = _rows(contest, config.seed)
    fitted = fit_stress(
        np.asarray(store.pixels[train]),
        np.asarray(store.pixels[test]),
        size,
        every_second(say, "fitting strengths, step"),
    )
    auc = (
        f"{contest.name}: test images are told from training images with AUC {fitted.before:.3f} "
        f"as networks of {size[0]} x {size[1]} pixels see them"
    )
    if not fitted.worth:
        print(
            f"{auc}; nothing that was tried lowers that by more than noise "
            f"(to {fitted.after:.3f} ± {2 * fitted.error:.3f}, on {fitted.images} images of either "
            "side that it was not fitted on). No stress is kept."
        )
        _tell(config, contest, "")
        return OK
    stress = stress_of(fitted, store.side, contest.files_digest)
    path = stress.write(folder)
    print(
        f"{auc}, and with {fitted.after:.3f} under this stress (a fall of "
        f"{fitted.before - fitted.after:.3f} ± {2 * fitted.error:.3f}, on {fitted.images} images "
        "of either side that it was not fitted on):"
    )
    for stage in stress.at_side(max(size)).stages:
        print(f"  {stage.describe()}")
    print("\nAugmentation around it, to be searched:")
    for options in narrowed(stress, max(size)):
        print(f"  {options}")
    print(
        "\nHeld-out images under it: predict.stress=auto keeps their predictions and score beside "
        "the plain ones, objective=stress lets a search optimise it."
    )
    print(f"Kept: {path}")
    _tell(config, contest, str(path))
    return OK


def narrowed(stress: Stress, size: int) -> list[str]:
    """Options that search augmentation around a stress, for the ready spaces that take them.

    Args:
        stress: What was fitted.
        size: Height and width at which networks are trained.
    """
    strengths = stress.strengths(size)
    names = ",".join(strengths)
    every = ["space=aug_policy", f"narrow.stage1.operation=[{names}]"]
    every.append(f"narrow.stage1.strength={_range(list(strengths.values()), 0.1)}")
    knobs = ["space=magnitude"]
    for group, operations in GROUPS.items():
        own = [strengths[name] for name in operations if name in strengths]
        knobs += [f"narrow.magnitude.{group}={_range(own, 0.0)}"] if own else []
    found = [every, knobs] if len(knobs) > 1 else [every]
    return [" ".join(shlex.quote(option) for option in options) for options in found]


def _range(strengths: list[float], least: float) -> str:
    low, high = min(strengths) / AROUND, max(strengths) * AROUND
    low, high = (round(float(np.clip(v, least, 1.0)), 2) for v in (low, high))
    return f"[{low},{max(high, low)}]"


def _rows(contest: Contest, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the store that are looked at, of either side, in random order."""
    rng = np.random.default_rng(seed)
    trained = len(contest.train_images)
    train = rng.permutation(trained)[:SAMPLE]
    return train, trained + rng.permutation(len(contest.test_images))[:SAMPLE]


def _tell(config: StressConfig, contest: Contest, path: str) -> None:
    if config.json:
        print(json.dumps({"id": contest.name, "path": path}))
