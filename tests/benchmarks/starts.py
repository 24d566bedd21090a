"""What it is worth to try usual configurations first: python -m tests.benchmarks.starts [seeds]
[trials] [options of the data]

Searches of one space with and without its `starts`, by turns, of the same seeds; every trial runs
to its end. Prints the best score on the hold-out after so many sampled trials, mean over the seeds,
and how far the searches with them are ahead, in points with Student's t over the seeds. The options
are those of `search.run`; without any the data are the embedded digits.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy import stats

from results.metrics import METRICS
from results.records.trials import Search
from tests.benchmarks.command import run
from tests.benchmarks.machine import machine

SPACES = """from dataclasses import replace
from spaces.ready import ready_space

def usual():
    return ready_space("aug_policy").join(ready_space("schedule"))

def without():
    return replace(usual(), starts=())
"""
AFTER = (1, 3, 6, 12, 24)
"""Sampled trials."""


def best(search: Search, trials: int) -> float:
    """The best score of so many trials, in the order in which they were drawn."""
    sampled = sorted(search.of("sampled"), key=lambda t: t.number)[:trials]
    scores = [score for t in sampled if (score := t.score(search.metric)) is not None]
    return search.sign * max(search.sign * s for s in scores)


def main() -> None:
    """Prints a row per number of trials."""
    words = sys.argv[1:]
    seeds, trials = (int(words.pop(0)) if words else usual for usual in (8, 12))
    found: dict[str, list[Search]] = {"usual": [], "without": []}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "own_spaces.py").write_text(SPACES)
        for seed in range(seeds):
            for name, searches in found.items():
                given = [f"name={name}-{seed}", f"space=own_spaces:{name}", f"seed={seed}"]
                plan = [f"trials={trials}", "confirm=0", "scheduler.rule=none", "quiet=true"]
                run(folder, "run", *given, *plan, *words)
                (place,) = folder.glob(f"runs/*/{name}-{seed}")
                searches.append(Search.read(place))
    metric = METRICS[found["usual"][0].metric]
    print(f"{seeds} seeds of {trials} trials; {machine('torch', 'optuna')}")
    print("| after | with | without | ahead by |\n|---|---|---|---|")
    for count in [n for n in AFTER if n <= trials]:
        ours, theirs = (np.array([best(s, count) for s in found[n]]) for n in found)
        points = metric.sign * (ours - theirs) / metric.points
        half = stats.t.ppf(0.975, seeds - 1) * stats.sem(points)
        ends = f"{points.mean() - half:+.1f} to {points.mean() + half:+.1f}"
        print(
            f"| {count} | {ours.mean():.4f} | {theirs.mean():.4f} | {points.mean():+.1f} ({ends}) |"
        )


if __name__ == "__main__":
    main()
