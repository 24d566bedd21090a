"""Events for tests that need a record and no training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from results.records.events import FORMAT
from spaces.trial_config import TrialConfig


def opening(name: str, baseline: TrialConfig, **rest: Any) -> dict[str, Any]:
    """Fields of an opening event of the competition ``c``."""
    return {
        "format": FORMAT,
        "kind": "search",
        "search": name,
        "competition": "c",
        "task": "classification",
        "metric": "accuracy",
        "direction": "maximize",
        "points": 100,
        "classes": ["a", "b"],
        "images": {"train": 4, "test": 0},
        "baseline": baseline.to_json(),
        "data": {"root": "/nowhere", "digest": "d1"},
        "folds": {"file": "folds-f1.csv", "digest": "f1", "count": 2, "sizes": [2, 2]},
        "digests": {"space": "", "code": "", "own": ""},
        "space": None,
        "trials": 1,
        "confirm": 0,
        **rest,
    }


def draft(folder: Path, text: str = "image,label\n") -> Path:
    """A file that is to become a submission."""
    path = folder / ".draft.csv"
    path.write_text(text)
    return path
