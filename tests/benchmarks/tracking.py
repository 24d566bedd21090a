"""What tracking costs the loop of a search: python -m tests.benchmarks.tracking [trials] [runs]

Each side tells of the same trials, three results of ten metrics each, on a sqlite database that is
there already: Ray's MLflowLoggerCallback and a ``log_batch`` per result do so in the loop; ours
adds events to the ledger in the loop, and its writer brings MLflow up to date from there.
Interleaved; prints milliseconds per trial in the loop, until MLflow has everything, and ratios.
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import tempfile
import time
from pathlib import Path

from mlflow.entities import Metric
from mlflow.tracking import MlflowClient
from ray.air.integrations.mlflow import MLflowLoggerCallback

from results.records.ledger import Ledger
from results.tracking.tracker import Tracker
from spaces.trial_config import TrialConfig
from tests.benchmarks.machine import machine
from tests.records import ended, job_event, opening_event, started

EPOCHS, METRICS = 3, 10


class Trial:
    """All that Ray's callback wants to know of a trial."""

    def __init__(self, number: int) -> None:
        self.config = {"lr": 1e-3, "batch": 64}
        self.trial_id = f"trial_{number}"

    def __str__(self) -> str:
        return self.trial_id


def values(trial: int, epoch: int) -> dict[str, float]:
    """The metrics of a result."""
    return {f"val/metric{i}": trial + epoch / 10 + i for i in range(METRICS)}


def by_callback(uri: str, trials: int) -> tuple[float, float]:
    """Seconds in the loop, which is all, with Ray's callback."""
    callback = MLflowLoggerCallback(tracking_uri=uri, experiment_name="callback")
    callback.setup()
    begun = time.perf_counter()
    for number in range(trials):
        trial = Trial(number)
        callback.log_trial_start(trial)
        for epoch in range(1, EPOCHS + 1):
            result = {**values(number, epoch), "training_iteration": epoch}
            callback.log_trial_result(epoch, trial, result)
        callback.log_trial_end(trial)
    seconds = time.perf_counter() - begun
    return seconds, seconds


def by_batch(uri: str, trials: int) -> tuple[float, float]:
    """The same with a batch per result."""
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("batch")
    found = experiment.experiment_id if experiment else client.create_experiment("batch")
    begun = time.perf_counter()
    for number in range(trials):
        run = client.create_run(found).info.run_id
        for epoch in range(1, EPOCHS + 1):
            now = int(time.time() * 1000)
            batch = [Metric(k, v, now, epoch) for k, v in values(number, epoch).items()]
            client.log_batch(run, metrics=batch)
        client.set_terminated(run)
    seconds = time.perf_counter() - begun
    return seconds, seconds


def by_ledger(uri: str, trials: int, folder: Path) -> tuple[float, float]:
    """Ours: seconds in the loop, and until MLflow has everything."""
    folder.mkdir(parents=True)
    (folder.parent / "folds-f1.csv").write_text("image,label,fold\na.png,0,0\nb.png,1,1\n")
    config = TrialConfig.of(epochs=EPOCHS)
    with contextlib.closing(Ledger(folder / "ledger.jsonl")) as ledger:
        ledger.add(opening_event(folder.name, config))
        ledger.commit()
        tracker = Tracker(folder, uri)
        tracker.catch_up()  # the experiment, once in a team's life
        begun = time.perf_counter()
        for number in range(trials):
            name = f"{folder.name}-{number:03d}"
            ledger.add(started(name, config))
            for epoch in range(1, EPOCHS + 1):
                report = {
                    "epoch": epoch,
                    "metrics": values(number, epoch),
                    "seconds": {"total": 1.0},
                }
                ledger.add(job_event("epoch", trial=name, report=report))
                ledger.commit()
            ledger.add(ended(name, "stopped"))  # without figures, which the others lack
        ledger.commit()
        loop = time.perf_counter() - begun
        tracker.catch_up()
    return loop, time.perf_counter() - begun


def main() -> None:
    """Prints a row per side."""
    trials, runs = (int(w) for w in (sys.argv[1:] + ["20", "3"][len(sys.argv) - 1 :]))
    print(f"{trials} trials, {runs} runs; {machine('mlflow', 'ray')}")
    with tempfile.TemporaryDirectory() as scratch:
        uri = f"sqlite:///{scratch}/mlflow.db"
        by_batch(uri, 1)  # makes the tables
        rows: dict[str, list[tuple[float, float]]] = {}
        for run in range(runs):
            rows.setdefault("Ray's callback", []).append(by_callback(uri, trials))
            rows.setdefault("log_batch", []).append(by_batch(uri, trials))
            rows.setdefault("ours", []).append(
                by_ledger(uri, trials, Path(scratch) / "runs/c" / f"r{run}")
            )
    for name, found in rows.items():
        loops = [1000 * loop / trials for loop, _ in found]
        ends = [1000 * end / trials for _, end in found]
        words = f"{name}: {statistics.median(loops):.1f} ms a trial in the loop"
        if name == "ours":
            words += f", {statistics.median(ends):.1f} until MLflow has it"
        else:
            a = [o[0] / u[0] for o, u in zip(found, rows["ours"], strict=True)]
            b = [o[1] / u[1] for o, u in zip(found, rows["ours"], strict=True)]
            words += (
                f"; ours takes {_ranged(a)} times less of it and is {_ranged(b)} times as fast "
                "until MLflow has it"
            )
        print(words, flush=True)


def _ranged(ratios: list[float]) -> str:
    return f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"


if __name__ == "__main__":
    main()
