"""What a trial costs beside its training: python -m tests.benchmarks.per_trial [trials] [runs]

Every side runs trials that train nothing, two at a time, each with three results of ten metrics and
torch imported, on a sqlite database; afterwards all runs, parameters and metrics have to be there:

- ours: the search as it is, with ledger, predictions, sampler, early stopping and tracker;
- Ray Tune's default: OptunaSearch, ASHA and the MLflowLoggerCallback, an actor a trial;
- the same with ``reuse_actors=True``;
- a fresh process a trial, as many scripts do, which logs by ``log_metrics``.

Seconds of so many trials and two more, less those of two, so that starting is left out;
interleaved. Prints milliseconds per trial and ratios to ours, median and range.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spaces.sections.run import Run
from spaces.trial_config import TrialConfig
from tests.benchmarks.machine import machine
from trainables.training.actions import ACTIONS
from trainables.training.fit import Epoch

EPOCHS, METRICS, AT_ONCE = 3, 10, 2
FEW = 2
"""Trials of the shorter run: a search's baseline, and one that is sampled."""


@dataclass(frozen=True, kw_only=True)
class Nothing(Run):
    """No training."""

    kind: str = "nothing"


def nothing(config: TrialConfig, context: Any, folder: Path, **rest: Any) -> Iterator[Epoch]:
    """Predicts at random and tells ten metrics of it, as often as there are epochs."""
    from results.predictions import Predictions, predictions_file

    folder.mkdir(parents=True, exist_ok=True)
    rows = context.folds.held_out(config.run.fold)
    rng = np.random.default_rng(config.run.seed)
    likely = rng.dirichlet(np.ones(len(context.classes)), len(rows)).astype(np.float32)
    predictions = Predictions.of_classes(
        images=tuple(context.store.images[row] for row in rows),
        classes=context.classes,
        probabilities=likely,
    )
    for epoch in range(1, config.run.epochs + 1):
        predictions.write(folder / predictions_file("holdout"))
        score = float(rng.random())
        metrics = {f"val/{context.metric.name}": score, **figures(epoch)}
        seconds = {"feed": 0.0, "compute": 0.0, "evaluate": 0.0, "total": 0.0}
        yield Epoch(report={"epoch": epoch, "metrics": metrics, "seconds": seconds, "images": 1})


ACTIONS.register("nothing", Nothing, nothing)


def figures(epoch: int) -> dict[str, float]:
    """All metrics of a result but the score."""
    return {f"figure{i}": epoch + i / 10 for i in range(METRICS - 1)}


def ours(folder: Path, trials: int) -> None:
    """The search as it is; its controls are trials, too."""
    arguments = [
        *("parts=[tests.benchmarks.per_trial]", "fix.action=nothing", f"epochs={EPOCHS}"),
        *(
            "space=schedule(longest_warmup=2)",
            f"trials={trials - 1}",
            "confirm=0",
            f"workers={AT_ONCE}",
        ),
        *("scheduler.rule=none", "predict.test=false", "name=s", "quiet=true"),
    ]
    command = [sys.executable, "-m", "search.run", *arguments]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def trainable(config: dict[str, Any]) -> None:
    """A trial of Ray Tune's."""
    import torch  # noqa: F401 (as every training does)
    from ray import tune

    rng = np.random.default_rng()
    for epoch in range(1, EPOCHS + 1):
        tune.report({"score": float(rng.random()), "epoch": epoch, **figures(epoch)})


def by_ray(folder: Path, trials: int, reuse_actors: bool) -> None:
    """Ray Tune with its own sampler, early stopping and callback."""
    import ray
    from ray import tune
    from ray.air.integrations.mlflow import MLflowLoggerCallback
    from ray.tune.schedulers import ASHAScheduler
    from ray.tune.search import ConcurrencyLimiter
    from ray.tune.search.optuna import OptunaSearch

    ray.init(num_cpus=AT_ONCE, include_dashboard=False, log_to_driver=False)
    callback = MLflowLoggerCallback(f"sqlite:///{folder}/mlflow.db", experiment_name="s")
    scheduler = ASHAScheduler(time_attr="epoch", max_t=EPOCHS, grace_period=EPOCHS)
    tuner = tune.Tuner(
        trainable,
        param_space={"lr": tune.loguniform(1e-4, 1e-2), "decay": tune.loguniform(1e-4, 0.3)},
        tune_config=tune.TuneConfig(
            metric="score",
            mode="max",
            num_samples=trials,
            search_alg=ConcurrencyLimiter(OptunaSearch(), AT_ONCE),
            scheduler=scheduler,
            reuse_actors=reuse_actors,
        ),
        run_config=tune.RunConfig(storage_path=str(folder), verbose=0, callbacks=[callback]),
    )
    tuner.fit()
    ray.shutdown()


SCRIPT = """
import sys, mlflow, torch
from tests.benchmarks.per_trial import EPOCHS, figures
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("s")
with mlflow.start_run():
    mlflow.log_params({"lr": 1e-3, "decay": 1e-2})
    for epoch in range(1, EPOCHS + 1):
        mlflow.log_metrics({"score": 0.5, **figures(epoch)}, step=epoch)
"""


def by_processes(folder: Path, trials: int) -> None:
    """A process a trial."""
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_experiment("s")  # two processes at once would both create it
    running: list[subprocess.Popen[bytes]] = []
    for _ in range(trials):
        if len(running) == AT_ONCE:
            running.pop(0).wait()
        uri = f"sqlite:///{folder}/mlflow.db"
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        running.append(subprocess.Popen([sys.executable, "-c", SCRIPT, uri], **quiet))  # type: ignore[call-overload]
    for process in running:
        process.wait()


SIDES: dict[str, Callable[[Path, int], None]] = {
    "ours": ours,
    "Ray Tune": lambda folder, trials: by_ray(folder, trials, reuse_actors=False),
    "Ray Tune, reuse_actors": lambda folder, trials: by_ray(folder, trials, reuse_actors=True),
    "a process a trial": by_processes,
}


def complete(folder: Path, trials: int) -> bool:
    """Whether MLflow has every trial with all of its metrics."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiments = [e.experiment_id for e in client.search_experiments()]
    runs = client.search_runs(experiments, max_results=1000)
    trained = [r for r in runs if f"figure{METRICS - 2}" in r.data.metrics]
    told = [len(client.get_metric_history(r.info.run_id, "figure0")) for r in trained[:5]]
    return len(trained) == trials and set(told) == {EPOCHS} and all(r.data.params for r in trained)


def timed(name: str, trials: int) -> float:
    """Seconds of a side in a process of its own, its start and MLflow's database included."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        path = os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": path, "RAY_USAGE_STATS_ENABLED": "0"}
        side = [sys.executable, "-W", "ignore", "-m", __spec__.name, "--side", name]
        begun = time.perf_counter()
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([*side, place, str(trials)], check=True, env=environment, **quiet)  # type: ignore[call-overload]
        seconds = time.perf_counter() - begun
        if not complete(folder, trials):
            raise RuntimeError(f"{name}: MLflow lacks something")
        return seconds


def main(trials: int, runs: int) -> None:
    """Prints the table."""
    print(machine("ray", "optuna", "mlflow", "torch"))
    found: dict[str, list[float]] = {name: [] for name in SIDES}
    for _ in range(runs):
        for name in SIDES:
            many, few = timed(name, trials + FEW), timed(name, FEW)
            found[name].append(1000 * (many - few) / trials)
            print(f"{name}: {found[name][-1]:,.0f} ms a trial", flush=True)
    print(f"{trials} trials, {runs} runs; milliseconds a trial, and times ours: median (range)")
    for name, each in found.items():
        ratios = [theirs / own for theirs, own in zip(each, found["ours"], strict=True)]
        print(
            f"{name:24} {statistics.median(each):8,.0f} ({min(each):,.0f} to {max(each):,.0f}) "
            f"{statistics.median(ratios):8.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        SIDES[sys.argv[2]](Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main(*(int(word) for word in sys.argv[1:3] or ["60", "5"]))
