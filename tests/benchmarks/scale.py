"""What the driver does for a trial: python -m tests.benchmarks.scale [trials] [workers …]

Ledger, record, plan, sampler and early stopping of a search, driven by recorded curves instead of
trainings (`tests/benchmarks/curves`), as by so many workers that report in turn. Ray's own share is
not in it. Prints CPU milliseconds of a trial, over its epochs, tenth by tenth of the trials, and
the process's memory; whether they stay flat is the question. Configurations are drawn at random:
what Optuna's TPE takes for a proposal grows with the trials and is told apart.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import optuna
import psutil

from results.records.ledger import Ledger
from results.records.trials import Search
from search.execution.driver import Driver
from search.planning.pace import Pace
from search.planning.planned import Planned
from search.planning.sampler import Sampler
from search.planning.search_plan import SearchPlan
from spaces.trial_config import TrialConfig
from tests.benchmarks.curves.recorded import EPOCHS, Curves
from tests.benchmarks.machine import machine
from tests.records import opening_event

KEY = "val/accuracy"
"""What the record's searches are compared by."""


PROPOSALS = 5
"""Over which TPE's time is taken."""


def simulate(trials: int, workers: int, folder: Path) -> list[float]:
    """Seconds of CPU for each trial, in the order in which they ended."""
    curves = Curves.read("digits")
    baseline = TrialConfig.of(epochs=EPOCHS)
    search = Search(folder=folder)
    spent: list[float] = []
    with contextlib.closing(Ledger(folder / "ledger.jsonl")) as ledger:
        driver = Driver(ledger, search)
        driver.record(opening_event("s", baseline))
        driver.slots = workers
        sampler = Sampler(curves.space, KEY, "maximize", 0, max(5, trials // 4))
        sampler.study.sampler = optuna.samplers.RandomSampler(seed=0)
        driver.on_end([sampler.tell])
        plan = SearchPlan(
            search=search,
            sampler=sampler,
            baseline=baseline,
            trials=trials,
            confirm=0,
            unsettled=set,
        )
        pace = Pace(epochs=EPOCHS, grace=3)
        running: list[Planned] = []
        mark = time.process_time()
        while not plan.done or running:
            while len(running) < workers and (planned := plan.next()) is not None:
                driver.begin(planned)
                running.append(planned)
            for planned in list(running):
                epoch = search.trials[planned.id].epoch + 1
                score = float(curves.scores[planned.number % len(curves.scores), epoch - 1])
                report = {
                    "epoch": epoch,
                    "metrics": {KEY: score, **{f"val/other{i}": score for i in range(9)}},
                    "seconds": {"total": 1.0},
                }
                driver.report(planned.id, {"epoch": epoch, "reports": [report]})
                if planned.why == "baseline":
                    pace.watch(epoch, score)
                    stop = False
                else:
                    stop = pace.judge(planned.id, epoch, score)
                if stop or epoch == EPOCHS:
                    driver.complete(planned.id)
                    running.remove(planned)
                    now = time.process_time()
                    spent.append(now - mark)
                    mark = now
                driver.turn()
    return spent


def proposal(trials: int) -> float:
    """Milliseconds of CPU that TPE takes for a proposal where it knows so many trials."""
    curves = Curves.read("digits")
    sampler = Sampler(curves.space, KEY, "maximize", 0, startup=0)
    for number in range(trials):
        i = number % len(curves.scores)
        params = dict(curves.params[i])
        sampler.study.add_trial(
            optuna.trial.create_trial(
                params=params,
                distributions={name: curves.space[name].distribution for name in params},
                value=float(curves.scores[i, -1]),
            )
        )
    begun = time.process_time()
    for number in range(PROPOSALS):
        sampler.ask(str(number))
    return 1000 * (time.process_time() - begun) / PROPOSALS


def main() -> None:
    """Prints a row for every number of workers."""
    asked = (100, 300, 1000)
    shown = ", ".join(f"{proposal(known):.0f} ms with {known}" for known in asked)
    print(f"TPE's proposal: {shown} trials known")
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"{trials} trials; {machine('optuna')}")
    for workers in [int(word) for word in sys.argv[2:]] or [2, 16, 128]:
        with tempfile.TemporaryDirectory() as scratch:
            spent = np.array(simulate(trials, workers, Path(scratch))) * 1000
        tenths = ", ".join(f"{part.mean():.1f}" for part in np.array_split(spent, 10))
        memory = psutil.Process().memory_info().rss / 2**20
        print(f"{workers} workers: {spent.mean():.1f} ms a trial ({tenths}); {memory:.0f} MiB RSS")


if __name__ == "__main__":
    main()
