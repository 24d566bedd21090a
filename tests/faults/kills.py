"""Drivers of searches and promotions that are killed at random moments."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
from mlflow.tracking import MlflowClient

from results.predictions import Predictions
from results.records.trials import Search
from results.tracking.conventions import epoch_metrics
from results.tracking.store import ID_TAG
from search.planning.asha import Asha
from tests.faults.row import Row
from tests.records import raw_events

SEARCH = ("trials=12", "epochs=3", "confirm=0", "scheduler.grace=1", "quiet=true")
WORKERS = 2
TRAINER = "ray::ResourceTrainable"
"""How Ray calls the process of a trial."""

OURS, RAYS = 10.0, 90.0
"""Seconds after which our processes, and Ray's, have to be gone."""


def start(folder: Path, command: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Starts a command in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", f"search.{command}", *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=(folder / "errors.txt").open("ab"),
        start_new_session=True,
    )


def kill_until_done(
    folder: Path, ledger: Path, command: str, first: tuple[str, ...], kills: int, seed: int
) -> tuple[int, float, float]:
    """Kills a job with -9 after random times, and resumes it, until it has ended.

    Returns:
        Kills, and the most seconds that processes of ours and of Ray outlived their driver.
    """
    rng = random.Random(seed)
    arguments, done, ours, rays = first, 0, 0.0, 0.0
    while True:
        process = start(folder, command, *arguments)
        if ledger.exists():
            arguments = (f"resume={ledger.parent.name}", "quiet=true")
        if done < kills:
            try:
                process.wait(rng.uniform(2, 25))
            except subprocess.TimeoutExpired:
                children = psutil.Process(process.pid).children(recursive=True)
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                done += 1
                gone = outlived(children, rays=done == 1)
                ours, rays = max(ours, gone[0]), max(rays, gone[1])
                if ledger.exists():
                    arguments = (f"resume={ledger.parent.name}", "quiet=true")
                continue
        if process.wait() not in (0, 2):
            raise SystemExit(f"{command} ended with {process.returncode}: see {folder}")
        return done, ours, rays


def outlived(children: list[psutil.Process], rays: bool) -> tuple[float, float]:
    """Seconds until the trainers of a killed driver are gone and, if asked for, Ray's helpers.

    Args:
        children: All processes below the driver.
        rays: Whether to wait for Ray's helpers, which takes most of a minute.
    """
    begun, ours, helpers = time.monotonic(), 0.0, 0.0
    while time.monotonic() - begun < 2 * RAYS:
        names = [name for name in map(_name, children) if name]
        if not names:
            break
        trainers = [name for name in names if TRAINER in name]
        now = time.monotonic() - begun
        ours = now if trainers else ours
        helpers = now
        if not trainers and not rays:
            break
        time.sleep(0.1)
    return ours, helpers if rays else 0.0


def _name(process: psutil.Process) -> str:
    """What a living process is called; empty for one that is gone."""
    try:
        gone = process.status() == psutil.STATUS_ZOMBIE
        return "" if gone else " ".join(process.cmdline()) or process.name()
    except psutil.NoSuchProcess:
        return ""


def killed_search(folder: Path, kills: int) -> Row:
    """kill -9 of the driver of searches, resumed each time, until there were enough kills."""
    row = Row(f"kill -9 of the driver at {kills} random moments of 12-trial searches")
    total: Counter[str] = Counter()
    slowest = slowest_ray = 0.0
    while total["kills"] < kills:
        name = f"k{total['searches']}"
        job = folder / "runs/digits" / name
        done, ours, rays = kill_until_done(
            folder,
            job / "ledger.jsonl",
            "run",
            (f"name={name}", *SEARCH),
            kills - total["kills"],
            total["searches"],
        )
        slowest, slowest_ray = max(slowest, ours), max(slowest_ray, rays)
        total["kills"] += done
        total["searches"] += 1
        total += audit(folder, Search.read(job), done)
    row.expect(total["again"] == 0, f"{total['kills']} kills in {total['searches']} searches")
    row.expect(total["again"] == 0, f"{total['again']} finished trials run again")
    row.expect(total["doubled"] == 0, f"{total['epochs']} epochs, {total['doubled']} twice")
    row.expect(total["excess"] == 0, f"{total['resumed']} trials went on")
    row.expect(total["open"] == 0, f"{total['open']} trials without an end")
    row.expect(total["rungs"] == 0, f"{total['rungs']} searches whose rungs differ from a replay")
    row.expect(total["metrics"] == 0, f"{total['metrics']} metrics missing or twice in MLflow")
    row.expect(slowest <= OURS, f"trainers gone after {slowest:.1f} s at most")
    row.expect(slowest_ray <= RAYS, f"Ray's helpers after {slowest_ray:.0f} s")
    return row


def audit(folder: Path, search: Search, kills: int) -> Counter[str]:
    """Counts what the record of a search, and MLflow, have that they should not."""
    events = raw_events(search.folder / "ledger.jsonl")
    found: Counter[str] = Counter()
    ended: set[str] = set()
    for event in events:
        if event["event"] == "trial_ended" and event["state"] != "interrupted":
            ended.add(event["trial"])
        if event["event"] in ("trial_started", "trial_resumed"):
            found["again"] += event["trial"] in ended and not search.trials[event["trial"]].revived
    epochs = Counter((e["trial"], e["report"]["epoch"]) for e in events if e["event"] == "epoch")
    found["epochs"] = len(epochs)
    found["doubled"] = sum(n > 1 for n in epochs.values())
    found["resumed"] = sum(e["event"] == "trial_resumed" for e in events)
    found["excess"] = max(0, found["resumed"] - WORKERS * kills)
    found["open"] = sum(t.state not in ("finished", "stopped") for t in search.trials.values())
    decided = Asha(epochs=3, grace=1, reduction=3).replay(search)
    found["rungs"] = decided != {t.id for t in search.of("sampled") if t.state == "stopped"}
    if start(folder, "sync").wait() != 0:
        raise SystemExit((folder / "errors.txt").read_text()[-2000:])
    found["metrics"] = repeated_metrics(folder, search)
    return found


def repeated_metrics(folder: Path, search: Search, uri: str = "") -> int:
    """Metrics of trials whose history in MLflow is not one value per epoch that reported it."""
    client = MlflowClient(uri or f"sqlite:///{folder}/mlflow.db")
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    wrong = 0
    for trial in search.trials.values():
        full = f"tags.`{ID_TAG}` = 'digits/{trial.id}'"
        (run,) = client.search_runs([experiment.experiment_id], full)
        told: dict[str, list[int]] = {}
        for report in trial.epochs:
            for name in epoch_metrics(report):
                told.setdefault(name, []).append(report.epoch)
        for name in told.keys() | run.data.metrics.keys():
            steps = sorted(m.step for m in client.get_metric_history(run.info.run_id, name))
            wrong += steps != told.get(name, [])
    return wrong


def killed_folds(folder: Path, kills: int) -> Row:
    """The deterministic tier: folds of fixed configurations, killed, against folds left alone."""
    row = Row(f"the same at {kills} moments of a promotion: the same bits as without")
    runs = folder / "runs/digits"
    first = ("select=k0-000", "folds=3", "epochs=6", "force=a test", "quiet=true")
    done, _, _ = kill_until_done(
        folder, runs / "killed/ledger.jsonl", "promote", ("name=killed", *first), kills, 1
    )
    ours = Search.read(runs / "killed")
    hidden = runs / "killed"
    aside = folder / "killed"
    hidden.rename(aside)  # else its folds would be taken over
    assert start(folder, "promote", "name=alone", *first).wait() == 0
    aside.rename(hidden)
    alone = Search.read(runs / "alone")
    same = 0
    for trial in ours.of("fold"):
        (twin,) = [t for t in alone.of("fold") if t.config == trial.config]
        equal = [e.metrics for e in trial.epochs] == [e.metrics for e in twin.epochs]
        for part in ("holdout", "test"):
            a, b = (
                Predictions.read(s.trial_folder(t) / f"{part}.npz").probabilities
                for s, t in ((ours, trial), (alone, twin))
            )
            equal = equal and bool(np.array_equal(a, b))
        same += equal
    row.expect(
        same == len(ours.of("fold")),
        f"{done} kills; {same} of {len(ours.of('fold'))} folds with the same bits",
    )
    return row


def scored_search(folder: Path) -> Path:
    """The folder of a small search with a submission, a score and a note."""
    folder.mkdir(parents=True)
    for command, *arguments in (
        ("run", "name=s", "trials=3", "epochs=2", "confirm=0", "quiet=true"),
        ("submit", "select=best"),
        ("score", "submission=s001", "public=0.8"),
        ("note", "s-001", "conclusion=nothing"),
    ):
        done = start(folder, command, *arguments).wait()
        assert done == 0, f"search.{command} ended with {done}: see {folder}"
    return folder / "runs/digits/s"
