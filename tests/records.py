"""Events for tests that need a record and no training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from results.records.events import EVENTS
from results.records.opening import FORMAT, Opened
from results.records.record import Event, read_event
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
        "corrections": None,
        "teachers": {},
        "digests": {"space": "", "code": "", "own": ""},
        "space": None,
        "trials": 1,
        "confirm": 0,
        **rest,
    }


def job_event(kind: str, /, **fields: Any) -> Event:
    """An event of a job's ledger from JSON-ready fields, checked as it is when read."""
    line = json.dumps({"event": kind, "at": 0.0, **fields}).encode()
    return read_event(line, EVENTS, Path("test"), 1)


def opening_event(name: str, baseline: TrialConfig | None = None, **rest: Any) -> Opened:
    """An opening event of the competition ``c``."""
    found = job_event("opened", **opening(name, baseline or TrialConfig(), **rest))
    assert isinstance(found, Opened)
    return found


def started(trial: str, config: TrialConfig, **rest: Any) -> Event:
    """A sampled trial begins, by its name such as ``j-000``."""
    number = int(trial.rpartition("-")[2])
    fields = {"number": number, "why": "sampled", "arm": "", "params": {}, **rest}
    return job_event("trial_started", trial=trial, config=config.to_json(), **fields)


def ended(trial: str, state: str = "finished", **rest: Any) -> Event:
    """A trial ends."""
    return job_event("trial_ended", trial=trial, state=state, **{"reason": "", **rest})


def raw_events(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a ledger as JSON."""
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def draft(folder: Path, text: str = "image,label\n") -> Path:
    """A file that is to become a submission."""
    path = folder / ".draft.csv"
    path.write_text(text)
    return path
