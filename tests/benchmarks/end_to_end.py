"""A search against a plain script: python -m tests.benchmarks.end_to_end [trials] [epochs] [pairs]

Both search augmentation on the embedded digits with the same network, size, batch, optimizer and
number of trials, on the machine as it is: the script with its loader's workers and torch's own
threads, ours with its defaults but without the confirmation, which the script does not have.
Interleaved, a seed per pair. Prints the seconds of both, from typing the command to its end; the
seconds until a training that ran to its end scores as high as the script's best; and what ours had
when the script was over.
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

import psutil

from results.records.trials import Search
from tests.benchmarks.machine import machine
from trainables.data.digits import make_digits

Scored = list[tuple[float, float]]
"""Seconds since the command and score of trainings that ran to their end."""


def script(root: Path, trials: int, epochs: int, seed: int) -> tuple[float, int, Scored]:
    """Seconds, epochs, and what the plain script found."""
    words = [str(root), str(trials), str(epochs), str(seed)]
    begun = time.perf_counter()
    command = [sys.executable, "-m", "tests.benchmarks.plain_script", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    wall = time.perf_counter() - begun
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    before = wall - lines[-1]["seconds"]  # its imports
    found = [(before + line["seconds"], line["score"]) for line in lines[:-1]]
    return wall, int(lines[-1]["epochs"]), found


def ours(place: Path, trials: int, epochs: int, seed: int) -> tuple[float, int, Scored]:
    """The same of a search."""
    options = {
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
    search = Search.read(place / "runs/digits" / f"s{seed}")
    ended = [t for t in search.trials.values() if t.state == "finished"]
    found = [(t.ended - clock, s) for t in ended if t.ended and (s := search.score(t)) is not None]
    return wall, sum(t.epoch for t in search.trials.values()), sorted(found)


def first(found: Scored, score: float) -> float:
    """Seconds to a score; infinite if it is never reached."""
    return min((seconds for seconds, reached in found if reached >= score), default=float("inf"))


def main() -> None:
    """Prints both sides and their ratio."""
    trials, epochs, pairs = (
        int(w) for w in (sys.argv[1:] + ["12", "12", "5"][len(sys.argv) - 1 :])
    )
    print(f"{trials} trials of at most {epochs} epochs; {machine('torch', 'ray', 'optuna')}")
    ratios, reached = [], []
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        root = make_digits(place / "runs/digits/data")
        for seed in range(pairs):
            load = psutil.getloadavg()[0]
            theirs, their_epochs, their_found = script(root, trials, epochs, seed)
            wall, our_epochs, our_found = ours(place, trials, epochs, seed)
            goal = max(score for _, score in their_found)
            by_then = max((s for t, s in our_found if t <= theirs), default=float("nan"))
            ratios.append(theirs / wall)
            reached.append(first(their_found, goal) / first(our_found, goal))
            print(
                f"seed {seed} (load {load:.1f}): the script {theirs:.0f} s, {their_epochs} epochs, "
                f"best {goal:.4f}; ours {wall:.0f} s, {our_epochs} epochs, best "
                f"{max(s for _, s in our_found):.4f}, that high after {first(our_found, goal):.0f} "
                f"s where the script was after {first(their_found, goal):.0f}; at the script's end "
                f"ours had {by_then:.4f}",
                flush=True,
            )
    print(
        f"whole search {statistics.median(ratios):.2f} times as fast ({min(ratios):.2f} to "
        f"{max(ratios):.2f}), to the script's best {statistics.median(reached):.2f} times "
        f"({min(reached):.2f} to {max(reached):.2f}; 0 is never), n = {pairs}"
    )


if __name__ == "__main__":
    main()
