"""Processes that are killed on either side of every write."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from results.records.trials import Search
from tests.faults.kills import SEARCH, audit
from tests.faults.row import Row

HOOKS = Path(__file__).parent / "killpoints"

WORKER = (
    "results.predictions:Predictions.write:before:1:",
    "results.predictions:Predictions.write:after:1:",
    "trainables.training.checkpoint:Checkpoint.write:before:1:",
    "trainables.training.checkpoint:_sync:before:1:",
    "trainables.training.checkpoint:trim_checkpoints:before:1:",
    "trainables.training.checkpoint:Checkpoint.write:after:1:",
    "results.predictions:Predictions.write:before:1:test.npz",
    "results.predictions:Predictions.write:after:1:test.npz",
)
"""Writes of a trainer; each point kills the trainer of another trial."""

DRIVER = (
    "results.records.ledger:Ledger.commit:before:3:",
    "results.records.ledger:Ledger.commit:after:3:",
    "mlflow.tracking.client:MlflowClient.create_run:before:2:",
    "mlflow.tracking.client:MlflowClient.create_run:after:2:",
    "mlflow.tracking.client:MlflowClient.log_batch:before:4:",
    "mlflow.tracking.client:MlflowClient.log_batch:after:4:",
    "mlflow.tracking.client:MlflowClient.set_terminated:before:1:",
    "mlflow.tracking.client:MlflowClient.set_terminated:after:1:",
)
"""Writes of a driver and of its tracker; each point kills one start of the search."""


def killed_at_writes(folder: Path) -> Row:
    """Kills trainers of one search at each of their writes, and its driver at each of its own."""
    row = Row(f"killed on either side of {len(WORKER) + len(DRIVER)} writes, one by one")
    folder.mkdir()
    worker = [f"{p}p-{i:03d}" if p.endswith(":") else p for i, p in enumerate(WORKER, start=1)]
    died = 0
    arguments = ["name=p", *SEARCH, "seed=3"]
    for i in range(len(DRIVER) + 1):
        points = [*worker, *(DRIVER[: i + 1] if i < len(DRIVER) else ())]
        done = _run(folder, points, *arguments)
        died += done == -9
        arguments = ["resume=p", "quiet=true"]
        if done == 0:
            break
    job = folder / "runs/digits/p"
    search = Search.read(job)
    marks = {int(p.name.partition("-")[2]) for p in (folder / "marks").iterdir()}
    row.expect(died == len(DRIVER), f"{died} drivers killed")
    row.expect(len(marks) == len(WORKER) + len(DRIVER), f"{len(marks) - died} trainers killed")
    found = audit(folder, search, died)
    row.expect(found["again"] == 0, f"{found['again']} finished trials run again")
    row.expect(found["doubled"] == 0, f"{found['epochs']} epochs, {found['doubled']} twice")
    row.expect(found["open"] == 0, f"{found['open']} trials without an end")
    row.expect(found["rungs"] == 0, "early stops as a replay decides them")
    row.expect(found["metrics"] == 0, f"{found['metrics']} metrics missing or twice in MLflow")
    return row


def _run(folder: Path, points: list[str], *arguments: str) -> int:
    """Runs a search whose processes die at the points; returns the exit code."""
    marks = folder / "marks"
    marks.mkdir(exist_ok=True)
    path = os.pathsep.join(filter(None, [str(HOOKS), os.environ.get("PYTHONPATH", "")]))
    environment = {"KILL_POINTS": " ".join(points), "KILL_MARKS": str(marks), "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, "-m", "search.run", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=(folder / "errors.txt").open("ab"),
    ).returncode
