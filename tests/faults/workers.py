"""Trainers of a running search that are killed, stopped, or lose a loader process."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil

from results.records.trials import Search
from search.execution.watchdog import heartbeats_folder
from tests.faults.kills import repeated_metrics, start
from tests.faults.row import Row
from tests.records import raw_events

KINDS = ("killed", "stopped", "loader killed")
OPTIONS = (
    "epochs=6", "confirm=0", "scheduler.grace=6", "loader_workers=1", "watchdog.seconds=15",
    "quiet=true",
)  # fmt: skip
LEFT_ALONE = 3
"""Of so many trials one is not hurt, for comparison."""
CALM, PAIRS = 16, 3
"""Trials of the search that is not hurt, and how many have to be comparable."""


def hurt_workers(folder: Path, each: int) -> Row:
    """Hurts ``each`` trainers of one search in each way, one trial at a time."""
    count = each * len(KINDS)
    row = Row(f"trainers {', '.join(KINDS)}, {each} each, in one search")
    folder.mkdir()
    trials = f"trials={2 * count}"
    process = start(folder, "run", "name=w", trials, *OPTIONS)
    done = _hurt(folder / "runs/digits/w", process, each)
    code = process.wait()
    row.expect(code == 0, f"exit code {code}")
    row.expect(
        sum(done.values()) == count, ", ".join(f"{n} {kind}" for kind, n in sorted(done.items()))
    )
    search = Search.read(folder / "runs/digits/w")
    faults = Counter(fault for t in search.trials.values() for fault in t.faults)
    row.expect(faults == {"death": 2 * each, "hang": each}, f"recorded {dict(faults)}")
    lost = [t.id for t in search.trials.values() if t.state != "finished"]
    row.expect(not lost, f"{len(lost)} of {len(search.trials)} trials lost")
    events = raw_events(search.folder / "ledger.jsonl")
    epochs = [(e["trial"], e["report"]["epoch"]) for e in events if e["event"] == "epoch"]
    row.expect(len(set(epochs)) == len(epochs), f"{len(epochs)} epochs, none twice")
    wrong = repeated_metrics(folder, search)
    row.expect(wrong == 0, f"{wrong} metrics missing or twice in MLflow")
    hurt, calm = _speeds(search), _speeds(_calm(folder, trials))
    ratios = [hurt[digest] / calm[digest] for digest in hurt.keys() & calm.keys()]
    ratio = float(np.exp(np.mean(np.log(ratios)))) if ratios else 0.0
    row.expect(
        ratio >= 0.9 and len(ratios) >= PAIRS,
        f"{len(ratios)} that nothing happened to at {ratio:.0%} of the speed that the same "
        "configurations have in a calm search",
    )
    return row


def _calm(folder: Path, trials: str) -> Search:
    """The same search, left alone and ended early: its first trials are drawn at random alike.

    Its folder is another one, or it would take over what the first has trained.
    """
    process = start(folder, "run", "name=calm", "runs=calm", trials, *OPTIONS)
    job = folder / "calm/digits/calm"
    while process.poll() is None:
        time.sleep(1)
        ledger = job / "ledger.jsonl"
        if ledger.exists() and ledger.read_text().count('"event": "trial_ended"') >= CALM:
            process.terminate()
            process.wait()
    return Search.read(job)


def _hurt(job: Path, process: subprocess.Popen[bytes], each: int) -> Counter[str]:
    """Hurts trainers until there were enough; no trial twice, and one of three not at all."""
    rng, done, hurt = random.Random(0), Counter[str](), set[str]()
    while process.poll() is None and sum(done.values()) < each * len(KINDS):
        time.sleep(rng.uniform(0.5, 2))
        kind = KINDS[sum(done.values()) % len(KINDS)]
        for path in heartbeats_folder().glob("*.json"):
            with contextlib.suppress(OSError, ValueError, psutil.NoSuchProcess):
                trial = json.loads(path.read_text())["trial"]
                trainer = psutil.Process(int(path.stem.rpartition("-")[2]))
                loaders = trainer.children()
                left_alone = int(trial.rpartition("-")[2]) % LEFT_ALONE == 0
                if str(job) not in trial or trial in hurt or left_alone or not loaders:
                    continue
                if kind == "killed":
                    trainer.kill()
                elif kind == "stopped":
                    trainer.suspend()
                else:
                    loaders[0].kill()
                hurt.add(trial)
                done[kind] += 1
                break
    return done


def _speeds(search: Search) -> dict[str, float]:
    """Images per second of training by configuration, of trials that nothing happened to."""
    return {
        t.asked.digest: float(np.median([e.images / e.seconds.total for e in t.epochs[1:]]))
        for t in search.trials.values()
        if not t.faults and len(t.epochs) > 1
    }
