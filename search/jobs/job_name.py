"""What a job is called: as asked, or by date, time and what it does."""

from __future__ import annotations

import time
from pathlib import Path

from search.options.training import EngineConfig
from spaces.errors import InputError
from spaces.names import check_name

RESERVED = (
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
    "latest",
    "mlflow",
    "all",
)
"""Folders beside the searches of a competition, and words that stand for searches."""

SUFFIXES = (".csv", ".json", ".jsonl", ".lock", ".npz", ".owner", ".png")
"""Of files beside them."""

LOCK = {"ledger.lock", "ledger.owner"}
"""All that a command leaves which was killed before its job began."""


def job_name(config: EngineConfig, folder: Path, label: str) -> str:
    """The name that was asked for, or date, time and label.

    Raises:
        InputError: If it is taken, or no folder name.
    """
    default = f"{time.strftime('%Y%m%d-%H%M%S')}-{label}"
    check_name(default, "name")
    name = config.name or _free_name(folder, default)
    if name in RESERVED or Path(name).suffix in SUFFIXES:
        raise InputError(f"name={name}: that name stands for something else; choose another")
    place = folder / name
    if place.exists() and not (place.is_dir() and {p.name for p in place.iterdir()} <= LOCK):
        raise name_is_taken(place)
    return name


def name_is_taken(folder: Path) -> InputError:
    """The refusal of a name under which there is something."""
    return InputError(f"name={folder.name}: {folder} exists already; choose another name")


def _free_name(folder: Path, name: str) -> str:
    """Appends a number when another search started within the same second."""
    candidates = (name if i == 1 else f"{name}-{i}" for i in range(1, 1000))
    return next(c for c in candidates if not (folder / c).exists())
