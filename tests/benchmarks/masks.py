"""What validation promises on the masks: python -m tests.benchmarks.masks [folder]

The baseline is trained on random folds, on folds of whole people and of whole sessions, three seeds
(of folds and training) each, and scored on the hold-out and on the test, whose labels the folder
has. Beside it what the forecast said of the test without labels, and what the audit proposes
without being told of people or sessions. With a folder what was trained before is not done again.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from results.forecast.forecast import forecast
from results.forecast.trials import models_of
from results.metrics import METRICS
from results.predictions import Predictions
from results.records.trials import Search
from trainables.audit.grouping import propose
from trainables.audit.looks import look_at
from trainables.data.contest import load_contest
from trainables.data.folds import assign, make_folds

GROUPS, SEEDS, METRIC = ("", "person", "session"), range(3), METRICS["macro_f1"]


def trained(runs: Path, group: str, seed: int) -> Search:
    """The baseline on fold 0 of such folds."""
    name = f"{group or 'random'}-{seed}"
    if not (runs / "masks" / name).exists():
        asked = [f"runs={runs}", f"name={name}", f"seed={seed}", f"holdout.seed={seed}"]
        asked += [f"data.group={group}"] if group else []
        command = [sys.executable, "-m", "search.train", "data=masks", *asked, "quiet=true"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return Search.read(runs / "masks" / name)


def scores(search: Search) -> tuple[float, float, float, bool]:
    """Macro F1 on the hold-out, on the test, as forecast there, and whether the interval holds."""
    (trial,) = search.trials.values()
    (expected,) = forecast(METRIC, models_of([(search, trial)])).models.values()
    told = pd.read_csv(search.folder.parent / "data" / "solution.csv").set_index("image")["label"]
    classes = list(search.opened["classes"])
    predicted = Predictions.read(search.trial_folder(trial) / "test.npz")
    labels = np.array([classes.index(told[image]) for image in predicted.images])
    test = METRIC.score(labels, predicted.probabilities)
    return expected.holdout, test, expected.score, expected.low <= test <= expected.high


def spread(values: Sequence[float]) -> str:
    """Mean and range, in points."""
    points = [100 * v for v in values]
    return f"{statistics.mean(points):.1f} ({min(points):.1f} to {max(points):.1f})"


def table(runs: Path) -> None:
    """Prints a row for each kind of folds."""
    searches = {(group, seed): trained(runs, group, seed) for seed in SEEDS for group in GROUPS}
    print("| folds | hold-out | test | hold-out off | forecast | forecast off | in its interval |")
    print("|---|---|---|---|---|---|---|")
    for group in GROUPS:
        found = [scores(searches[group, seed]) for seed in SEEDS]
        holdout, test, told, held = zip(*found, strict=True)
        cells = [
            f"by {group}" if group else "random",
            spread(holdout),
            spread(test),
            spread([a - b for a, b in zip(holdout, test, strict=True)]),
            spread(told),
            spread([a - b for a, b in zip(told, test, strict=True)]),
            f"{sum(held)} of {len(held)}",
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


def audited(runs: Path) -> None:
    """Prints what groups the audit proposes, and how far they are people and sessions."""
    root = runs / "masks" / "data"
    contest, people = load_contest(name="masks", root=root), pd.read_csv(root / "train.csv")
    looks, fold = look_at(contest), make_folds(contest, 5).fold
    found = propose(
        looks.appearance[looks.train],
        looks.appearance[~looks.train],
        contest.labels,
        lambda groups: fold if groups is None else assign(contest.labels, groups, 5, 0),
        5,
    )
    print(f"\nof {len(found.candidates)} groupings the audit takes {found.best}")
    if found.groups is None:
        return
    of = people.assign(group=found.groups, fold=assign(contest.labels, found.groups, 5, 0))
    for what in GROUPS[1:]:
        pure = (of.groupby("group")[what].nunique() == 1).mean()
        whole = (of.groupby(what)["fold"].nunique() == 1).mean()
        print(f"groups within one {what}: {pure:.0%}; of {what}s on one side: {whole:.0%}")


def main() -> None:
    """Trains, audits and prints."""
    with tempfile.TemporaryDirectory() as scratch:
        runs = Path(sys.argv[1] if len(sys.argv) > 1 else scratch)
        table(runs)
        audited(runs)


if __name__ == "__main__":
    main()
