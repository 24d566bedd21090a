"""What a job is called: as asked, or by date, time and what it does."""

from __future__ import annotations

import re
import time
from pathlib import Path

from results.leaderboard.leaderboard import Leaderboard
from search.options.training import EngineConfig
from spaces.errors import InputError
from spaces.names import check_name

FOLDERS = (
    "data",
    "store",
    "submissions",
    "imports",
    "blends",
    "postprocess",
    "predictions",
    "audit",
    "labels",
    "cams",
)
"""Beside the searches of a competition."""

SUFFIXES = (".csv", ".json", ".jsonl", ".lock", ".npz", ".owner", ".png")
"""Of files beside them."""

WORDS = re.compile(r"latest|mlflow|all|trust|[bms]\d{3,}")
"""That options take for something else, ids of blends, post-processing and submissions, and a run
that MLflow has beside those of searches."""

LOCK = {"ledger.lock", "ledger.owner"}
"""All that a command leaves which was killed before its job began."""


def job_name(config: EngineConfig, folder: Path, label: str) -> str:
    """The name that was asked for, or date, time and label.

    Args:
        config: The name, if one was asked for.
        folder: The competition's.
        label: What the job does.

    Raises:
        InputError: If it is taken, or no folder name.
    """
    default = f"{time.strftime('%Y%m%d-%H%M%S')}-{label}"
    check_name(default, "name")
    if not config.name:
        return _free_name(folder, default)
    check_meaning(config.name)
    if config.name in FOLDERS or Path(config.name).suffix in SUFFIXES:
        raise InputError(f"name={config.name}: that is the name of a folder or a file of ours")
    submitted, place = Leaderboard.read(folder).of_trial(config.name), folder / config.name
    if submitted is not None:
        raise InputError(f"name={config.name}: that is {submitted.id} already")
    if place.exists() and not (place.is_dir() and {p.name for p in place.iterdir()} <= LOCK):
        raise name_is_taken(place)
    return config.name


def check_meaning(name: str, key: str = "name") -> None:
    """Raises InputError if the name of a search, or of an import, stands for something else."""
    if WORDS.fullmatch(name):
        raise InputError(f"{key}={name}: that name stands for something else; choose another")


def name_is_taken(folder: Path) -> InputError:
    """The refusal of a name under which there is something."""
    return InputError(f"name={folder.name}: {folder} exists already; choose another name")


def _free_name(folder: Path, name: str) -> str:
    """Appends a number when another search started within the same second."""
    candidates = (name if i == 1 else f"{name}-{i}" for i in range(1, 1000))
    return next(c for c in candidates if not (folder / c).exists())
