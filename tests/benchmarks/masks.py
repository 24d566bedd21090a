"""What validation promises on the embedded contests: python -m tests.benchmarks.masks [folder]

The baselines are trained on random folds, on the masks also on folds of whole people and of whole
sessions, three seeds (of folds and training) each, and scored on the hold-out and on the test,
whose labels the folder has. Beside it what the forecast said of the test without labels, and what
the audit proposes for the masks without being told of people or sessions. What a folder holds of an
earlier run is not trained again.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from results.forecast.forecast import forecast
from results.forecast.methods import Model
from results.metrics import METRICS
from results.predictions import Predictions
from search.jobs.baseline import base_config
from search.jobs.contest_data import read_contest
from search.options.command_line import parse
from search.options.training import TrainConfig
from trainables.audit.grouping import propose
from trainables.audit.looks import look_at
from trainables.data.contest import load_contest
from trainables.data.folds import assign, make_folds
from trainables.data.image_store import store_side
from trainables.data.store_building import build_store
from trainables.portable.preparation import Preparation
from trainables.training.context import TrainingContext
from trainables.training.fit import fit

ROWS = (("digits", ""), ("masks", ""), ("masks", "person"), ("masks", "session"))
"""Contests and the groups of their folds."""

SEEDS, METRIC = range(3), METRICS["macro_f1"]

Scores = tuple[float, float, float, bool]
"""On the hold-out, on the test, as forecast there, and whether its interval holds the test's."""


def measured(folder: Path, data: str, group: str, seed: int) -> Scores:
    """Trains the baseline on all folds but one, or finds what was trained before."""
    asked = [f"data={data}", f"data.group={group}", f"seed={seed}", f"holdout.seed={seed}"]
    options = parse(TrainConfig, asked)
    config = base_config(options)
    contest = read_contest(options.data, folder)
    side = store_side(max(config.data.size))
    store = build_store(contest, Preparation(side=side), folder / data / "store")
    config = config.replace(store_side=side)
    folds = make_folds(contest, 5, seed)
    trained = folder / data / f"{group or 'random'}-{seed}"
    if not (trained / "test.npz").exists():
        context = TrainingContext(store=store, folds=folds, classes=contest.classes, metric=METRIC)
        for _ in fit(config, context, trained):
            print(".", end="", file=sys.stderr, flush=True)
    holdout, test = (Predictions.read(trained / f"{n}.npz") for n in ("holdout", "test"))
    model = Model(
        id="baseline",
        fold=0,
        kin="baseline",
        labels=contest.labels[folds.held_out(0)],
        holdout=holdout.probabilities,
        test=test.probabilities,
    )
    told = pd.read_csv(folder / data / "data" / "solution.csv", dtype=str)
    index = {name: i for i, name in enumerate(contest.classes)}
    of = dict(zip(told["image"], told["label"].map(index), strict=True))
    score = METRIC.score(np.array([of[i] for i in test.images]), test.probabilities)
    expected = forecast(METRIC, [model]).models["baseline"]
    return expected.holdout, score, expected.score, expected.low <= score <= expected.high


def spread(values: Sequence[float]) -> str:
    """Mean and range, in points."""
    points = [100 * v for v in values]
    return f"{statistics.mean(points):.1f} ({min(points):.1f} to {max(points):.1f})"


def table(folder: Path) -> None:
    """Prints a row for each contest and kind of folds, the seeds of all side by side."""
    every = {(row, seed): measured(folder, *row, seed) for seed in SEEDS for row in ROWS}
    print("| folds | hold-out | test | hold-out off | forecast | forecast off | in its interval |")
    print("|---|---|---|---|---|---|---|")
    for data, group in ROWS:
        found = [every[(data, group), seed] for seed in SEEDS]
        holdout, test, told, held = zip(*found, strict=True)
        cells = [
            f"{data}, {f'by {group}' if group else 'random'}",
            spread(holdout),
            spread(test),
            spread([a - b for a, b in zip(holdout, test, strict=True)]),
            spread(told),
            spread([a - b for a, b in zip(told, test, strict=True)]),
            f"{sum(held)} of {len(held)}",
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


def audited(folder: Path) -> None:
    """Prints what groups the audit proposes, and how far they are people and sessions."""
    root = folder / "masks" / "data"
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
    for what in ("person", "session"):
        pure = (of.groupby("group")[what].nunique() == 1).mean()
        whole = (of.groupby(what)["fold"].nunique() == 1).mean()
        print(f"groups within one {what}: {pure:.0%}; of {what}s on one side: {whole:.0%}")


def main() -> None:
    """Trains, audits and prints."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else scratch)
        table(folder)
        audited(folder)


if __name__ == "__main__":
    main()
