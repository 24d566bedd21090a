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
)
"""Folders beside the searches of a competition, and words that stand for searches."""


def job_name(config: EngineConfig, folder: Path, label: str) -> str:
    """The name that was asked for, or date, time and label.

    Raises:
        InputError: If it is taken, or no folder name.
    """
    default = f"{time.strftime('%Y%m%d-%H%M%S')}-{label}"
    check_name(default, "name")
    if config.name in RESERVED:
        raise InputError(f"name={config.name}: that name stands for something else; choose another")
    name = config.name or _free_name(folder, default)
    if (folder / name).exists():
        raise InputError(f"name={name}: {folder / name} exists already; choose another name")
    return name


def _free_name(folder: Path, name: str) -> str:
    """Appends a number when another search started within the same second."""
    candidates = (name if i == 1 else f"{name}-{i}" for i in range(1, 1000))
    return next(c for c in candidates if not (folder / c).exists())
