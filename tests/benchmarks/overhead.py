"""What safety costs a healthy search: python -m tests.benchmarks.overhead [trials] [side]

Two copies of the same trainings go on in turn, epoch by epoch, so that what else the machine does
hits both alike. One runs as the service runs it, with checkpoints, durable predictions and ledger,
heartbeats and their supervisor, the tracker; the other without all that is there for the day when
something breaks. What the driver does for a trial is done by a process of its own, which stands
still during the other's epochs. All run on one core, as if every other one had a trial of its own:
whatever the driver does, its trials pay for. One trial of three is not stopped early and gets its
figures. The cost of an epoch does not grow with its length, so the ratio is that of short ones;
``side`` is the images' in pixels and makes them longer.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from unittest import mock

import numpy as np

from results.metrics import METRICS
from results.records.ledger import Ledger
from results.records.record import Event
from results.tracking.tracker import Tracker
from search.execution.watchdog import Heartbeat, Supervisor
from spaces.trial_config import TrialConfig
from tests.records import ended, job_event, opening_event, started
from trainables.data.contest import load_contest
from trainables.data.digits import make_digits
from trainables.data.folds import make_folds
from trainables.data.store_building import build_store
from trainables.portable.preparation import Preparation
from trainables.training.context import TrainingContext
from trainables.training.fit import fit

CONFIG = TrialConfig.of(backbone="test_resnet", lr=5e-3, batch=32, epochs=12)


class Driver:
    """A process that does what a driver does for trials: ledger, tracker and supervisor.

    It stands still unless it is `at_work`.
    """

    def __init__(self, folder: Path, opened: Event) -> None:
        self._orders, theirs = multiprocessing.Pipe()
        spawn = multiprocessing.get_context("spawn")
        self._process = spawn.Process(target=drive, args=(folder, opened, theirs), daemon=True)
        self._process.start()
        theirs.close()  # so that its death is heard
        self._orders.recv()
        self._signal(signal.SIGSTOP)

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        self._signal(signal.SIGCONT)
        yield
        self._signal(signal.SIGSTOP)

    def record(self, event: Event) -> None:
        self._orders.send(event)

    def finish(self) -> None:
        """Waits until everything is in the tracking store; it works until then."""
        self._signal(signal.SIGCONT)
        self._orders.send(None)
        if not self._orders.recv():
            raise RuntimeError("the tracker did not keep up")

    def close(self) -> None:
        """Ends the process, even where it stands still."""
        self._process.kill()

    def _signal(self, number: int) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)


def drive(folder: Path, opened: Event, orders: Connection) -> None:
    """Follows a `Driver`'s orders."""
    with contextlib.closing(Ledger(folder / "ledger.jsonl")) as ledger:
        ledger.add(opened)
        ledger.commit()
        tracker = Tracker(folder, f"sqlite:///{folder}/mlflow.db")
        tracker.catch_up()  # making a database takes two seconds, once in a team's life
        tracker.start()
        supervisor = Supervisor(folder, 300)
        supervisor.start()
        orders.send("ready")
        while (order := orders.recv()) is not None:
            ledger.add(order)
            ledger.commit()
        supervisor.stop()
        orders.send(tracker.finish())


@contextlib.contextmanager
def bare() -> Iterator[None]:
    """Trainings write nothing."""
    with contextlib.ExitStack() as stack:
        for target in ("Checkpoint.write", "EpochEvaluation.keep", "remove_leftovers"):
            stack.enter_context(mock.patch(f"trainables.training.fit.{target}"))
        yield


def train(
    config: TrialConfig, task: TrainingContext, place: Path, driver: Driver
) -> list[tuple[float, float]]:
    """Trains a trial both ways; returns the wall times of every epoch in seconds, safe and bare."""
    number, job = config.run.seed, place / "o"
    name = f"o-{number:03d}"
    driver.record(started(name, config, number=number))
    heartbeat = Heartbeat(job, job / "trials" / name)
    heartbeat.start()
    safe = fit(config, task, job / "trials" / name, beat=heartbeat.beat)
    plain = fit(config, task, place / "plain")

    def safe_epoch(last: bool) -> None:
        with driver.at_work():
            driver.record(job_event("epoch", trial=name, report=next(safe).report))
            if last:
                heartbeat.stop()
                state = "stopped" if number % 3 else "finished"
                driver.record(ended(name, state))

    def bare_epoch(last: bool) -> None:
        with bare():
            next(plain)

    walls = []
    for epoch in range(1, config.run.epochs + 1):
        seconds = {}
        for step in (safe_epoch, bare_epoch)[:: 1 if (number + epoch) % 2 else -1]:
            begun = time.perf_counter()
            step(epoch == config.run.epochs)
            seconds[step] = time.perf_counter() - begun
        walls.append((seconds[safe_epoch], seconds[bare_epoch]))
    return walls


def main() -> None:
    """Prints the ratio."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    side = int(sys.argv[2]) if len(sys.argv) > 2 else 48
    config = CONFIG.replace(size=(side, side), store_side=side + 12)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        contest = load_contest(name="digits", root=make_digits(place / "data"))
        folds = make_folds(contest, 5)
        task = TrainingContext(
            store=build_store(contest, Preparation(side=config.data.store_side), place / "store"),
            folds=folds,
            classes=contest.classes,
            metric=METRICS["macro_f1"],
        )
        stored = {"file": folds.write(place).name, "digest": folds.digest, "count": 5, "sizes": [1]}
        opened = opening_event(
            "o", config, classes=list(contest.classes), metric="macro_f1", folds=stored
        )
        walls: list[tuple[float, float]] = []
        with contextlib.closing(Driver(place / "o", opened)) as driver:
            for number in range(trials):
                walls += train(config.replace(seed=number), task, place, driver)
                safe, plain = np.sum(walls[-config.run.epochs :], axis=0)
                print(f"trial {number + 1}: {safe:.2f} s as it is, {plain:.2f} s bare", flush=True)
            begun = time.perf_counter()
            driver.finish()
            rest = time.perf_counter() - begun
    pairs = np.array(walls)
    rng = np.random.default_rng(0)
    draws = pairs[rng.integers(len(pairs), size=(2000, len(pairs)))].sum(axis=1)
    ratios = (draws[:, 0] + rest) / draws[:, 1]
    low, high = np.quantile(ratios, (0.025, 0.975))
    print(
        f"ratio {(pairs[:, 0].sum() + rest) / pairs[:, 1].sum():.3f} (95 % of bootstrapped sets of "
        f"epochs {low:.3f} to {high:.3f}, n = {len(pairs)} pairs of epochs of "
        f"{np.median(pairs[:, 1]):.2f} s); the last {rest:.2f} s are what the tracker had left"
    )


if __name__ == "__main__":
    main()
