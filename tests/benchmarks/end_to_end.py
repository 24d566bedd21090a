"""Whole searches side by side.

    python -m tests.benchmarks.end_to_end [trials] [epochs] [seeds] [contest's folder] [pixels]

All search augmentation on the embedded digits, or on a folder that has a train.csv, with the same
network, size, batch, optimizer and number of trials, on the machine as it is: a plain script around
Optuna, with its loader's workers and a thread for each other core; the same under Ray Tune with
OptunaSearch, ASHA and its MLflow callback, a core a trial; and ours with its defaults, but without
the confirmation, which the others do not have. By turns, seed after seed. Prints the seconds of
each, from typing the command to its end; the seconds until a training that ran to its end scores as
high as the other's best; and what ours had when the other was over.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from results.records.trials import Search
from tests.benchmarks.machine import machine
from trainables.data.digits import make_digits

Scored = list[tuple[float, float]]
"""Seconds since the command and score of trainings that ran to their end."""

OTHERS = {"optuna": "the script", "ray": "Ray Tune"}
"""Searches of `tests.benchmarks.plain_script`, and what they are called."""


class Outcome(NamedTuple):
    """What a search comes to: its seconds, the epochs that it trained, and what it found."""

    seconds: float
    epochs: int
    found: Scored

    @property
    def best(self) -> float:
        """The highest score."""
        return max(score for _, score in self.found)


def theirs(
    kind: str, place: Path, root: Path, side: int, trials: int, epochs: int, seed: int
) -> Outcome:
    """What a search of `tests.benchmarks.plain_script` comes to."""
    words = [kind, *map(str, (root, side, trials, epochs, seed))]
    path = {"PYTHONPATH": str(Path.cwd()), "RAY_USAGE_STATS_ENABLED": "0"}
    begun = time.perf_counter()
    command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.plain_script", *words]
    options: dict[str, Any] = {"cwd": place, "env": {**os.environ, **path}}
    done = subprocess.run(command, capture_output=True, text=True, check=True, **options)
    wall = time.perf_counter() - begun
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    before = wall - lines[-1]["seconds"]  # its imports
    found = [(before + line["seconds"], line["score"]) for line in lines[:-1]]
    return Outcome(wall, int(lines[-1]["epochs"]), found)


def ours(place: Path, root: Path, side: int, trials: int, epochs: int, seed: int) -> Outcome:
    """What a search of ours comes to."""
    options = {
        "data": "csv",
        "data.name": "raced",
        "data.root": root,
        "fix.backbone": "test_resnet",
        "fix.size": side,
        "fix.lr": 5e-3,
        "fix.batch": 32,
        "name": f"s{seed}",
        "trials": trials,
        "epochs": epochs,
        "seed": seed,
        "holdout.seed": seed,
        "confirm": 0,
        "quiet": "true",
    }
    command = [sys.executable, "-m", "search.run", *(f"{k}={v}" for k, v in options.items())]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    begun, clock = time.perf_counter(), time.time()
    subprocess.run(command, cwd=place, env=environment, capture_output=True, check=True)
    wall = time.perf_counter() - begun
    search = Search.read(place / "runs/raced" / f"s{seed}")
    ended = [t for t in search.trials.values() if t.state == "finished"]
    found = [(t.ended - clock, s) for t in ended if t.ended and (s := search.score(t)) is not None]
    return Outcome(wall, sum(t.epoch for t in search.trials.values()), sorted(found))


def first(found: Scored, score: float) -> float:
    """Seconds to a score; infinite if it is never reached."""
    return min((seconds for seconds, reached in found if reached >= score), default=float("inf"))


def main() -> None:
    """Prints all sides and their ratios."""
    words = sys.argv[1:] + ["12", "12", "5", "", "32"][len(sys.argv) - 1 :]
    trials, epochs, seeds, side = (int(words[place]) for place in (0, 1, 2, 4))
    name = Path(words[3]).name or "digits"
    told = f"{name} at {side} pixels, {trials} trials of at most {epochs} epochs"
    print(f"{told}; {machine('torch', 'ray', 'optuna')}")
    ratios: dict[str, list[float]] = {kind: [] for kind in OTHERS}
    reached: dict[str, list[float]] = {kind: [] for kind in OTHERS}
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        root = Path(words[3]).resolve() if words[3] else make_digits(place / "digits")
        for seed in range(seeds):
            load = psutil.getloadavg()[0]
            others = {
                kind: theirs(kind, place, root, side, trials, epochs, seed) for kind in OTHERS
            }
            own = ours(place, root, side, trials, epochs, seed)
            print(
                f"seed {seed} (load {load:.1f}): ours {own.seconds:.0f} s, {own.epochs} epochs, "
                f"best {own.best:.4f}",
                flush=True,
            )
            for kind, other in others.items():
                soon, late = first(own.found, other.best), first(other.found, other.best)
                by_then = [s for t, s in own.found if t <= other.seconds]
                ratios[kind].append(other.seconds / own.seconds)
                reached[kind].append(late / soon)
                print(
                    f"  {OTHERS[kind]} {other.seconds:.0f} s, {other.epochs} epochs, best "
                    f"{other.best:.4f} after {late:.0f} s; ours that high after {soon:.0f} s, and "
                    f"at its end at {max(by_then, default=float('nan')):.4f}",
                    flush=True,
                )
    for kind, name in OTHERS.items():
        print(
            f"{name}: the whole search {_spread(ratios[kind])} as long as ours, to its best "
            f"{_spread(reached[kind])} as long (0 is never), n = {seeds}"
        )


def _spread(ratios: list[float]) -> str:
    return f"{statistics.median(ratios):.2f} times ({min(ratios):.2f} to {max(ratios):.2f})"


if __name__ == "__main__":
    main()
