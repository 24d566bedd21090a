"""What safety costs a healthy search: python -m tests.benchmarks.overhead [rounds]

The same fixed trainings run twice a round, in turn, in one process: once as the service runs
them, and once without all that is there for the day when something breaks: checkpoints, durable
predictions and ledger, heartbeats and their supervisor, the tracker. The ratio of the two wall
times is printed for each round, with the mean and its standard error.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np

from results.ledger import Ledger
from results.metrics import METRICS
from results.tracking import Tracker
from search.heartbeat import Heartbeat, Supervisor
from spaces.trial_config import TrialConfig
from tests.records import opening
from trainables.contest import load_contest
from trainables.digits import make_digits
from trainables.fit import Task, fit
from trainables.folds import make_folds
from trainables.store import build_store

TRIALS = 3
CONFIG = TrialConfig(
    backbone="test_resnet", size=(32, 32), store_side=44, lr=5e-3, batch=32, epochs=12
)


def train(folder: Path, task: Task, safe: bool) -> float:
    """Trains the trials; returns the wall time in seconds."""
    begun = time.perf_counter()
    with contextlib.ExitStack() as stack:
        if not safe:
            for target in ("Checkpoint.write", "_save", "remove_leftovers"):
                stack.enter_context(mock.patch(f"trainables.fit.{target}"))
            for number in range(TRIALS):
                for _ in fit(CONFIG.replace(seed=number), task, folder / str(number)):
                    pass
            return time.perf_counter() - begun
        ledger = stack.enter_context(contextlib.closing(Ledger(folder / "ledger.jsonl")))
        ledger.add("opened", **opening("o", CONFIG, competition="c"))
        tracker = Tracker(folder, f"sqlite:///{folder}/mlflow.db")
        tracker.start()
        supervisor = Supervisor(folder, 300)
        supervisor.start()
        for number in range(TRIALS):
            name, config = f"o-{number:03d}", CONFIG.replace(seed=number)
            ledger.add(
                "trial_started", trial=name, number=number, why="sampled", arm="", params={},
                config=config.to_json(), digest=config.digest,
            )  # fmt: skip
            heartbeat = Heartbeat(folder, folder / "trials" / name)
            for done in fit(config, task, folder / "trials" / name, beat=heartbeat.beat):
                ledger.add("epoch", trial=name, report=done.report)
                ledger.commit()
            heartbeat.stop()
            ledger.add("trial_ended", trial=name, state="stopped", reason="")
        supervisor.stop()
        wall = time.perf_counter() - begun
        tracker.finish()
    return wall


def main() -> None:
    """Prints the ratio."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    ratios = []
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        contest = load_contest(name="digits", root=make_digits(place / "data"))
        task = Task(
            store=build_store(contest, CONFIG.store_side, place / "store"),
            folds=make_folds(contest, 5),
            classes=contest.classes,
            metric=METRICS["macro_f1"],
        )
        for _ in fit(CONFIG.replace(epochs=2), task, place / "warm"):
            pass
        for i in range(rounds):
            walls = {}
            for safe in (i % 2 == 0, i % 2 == 1):
                folder = place / f"{i}-{safe}"
                folder.mkdir()
                walls[safe] = train(folder, task, safe)
            ratios.append(walls[True] / walls[False])
            print(
                f"round {i + 1}: {walls[True]:.1f} s as it is, {walls[False]:.1f} s bare, "
                f"ratio {ratios[-1]:.3f}",
                flush=True,
            )
    error = np.std(ratios, ddof=1) / np.sqrt(rounds) if rounds > 1 else float("nan")
    print(f"ratio {np.mean(ratios):.3f} ± {error:.3f} (standard error, n = {rounds})")


if __name__ == "__main__":
    main()
