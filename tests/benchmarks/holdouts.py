"""Which hold-out tells the test: python -m tests.benchmarks.holdouts <folder> <solution> <trials>
<epochs> <seeds> [options of the data]

Of one contest and by the same space, seed after seed: a search on random folds, one on folds of the
groups that search.audit proposes, one on what looks most like the test (holdout=test_like); all
trials run to their ends. Where search.stress finds one, all predict held-out images under it, too.
The solution, a path in the contest's folder, scores all trials; nothing else sees it. Prints, per
hold-out, Kendall's tau with the public score over all trials and within the band of those that
compete, how far the hold-out is above the public score, what its choice loses of the best public
score, and how far the forecast of accuracy was off: means over the seeds, with their range. Then
the taus of what ranks trials without labels.

    python -m tests.benchmarks.holdouts /tmp/holdouts solution.csv 20 12 3
    python -m tests.benchmarks.holdouts /tmp/holdouts public_solution.csv 20 8 3 data=csv \
        data.name=birds data.root=/data/birds

What was searched before in the folder is not searched again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from results.forecast.forecast import forecast
from results.forecast.methods import estimate
from results.forecast.trained_models import models_of
from results.metrics import METRICS
from results.predictions import Predictions, predictions_file
from results.records.labelled_images import LabelledImages
from results.records.trials import Search
from results.stats.correlation import kendall
from results.trust.band import Validated, competitive_band
from tests.benchmarks.command import run
from tests.benchmarks.machine import machine

SPACE = "space=[aug_policy,schedule]"
COLUMNS = ("tau, all", "tau, band", "above the public", "choice loses", "forecast off", "held")


def searches(
    folder: Path, trials: int, epochs: int, seeds: int, options: list[str]
) -> Iterator[tuple[str, Search]]:
    """Every hold-out's searches, by its name."""
    run(folder, "audit", *options)
    run(folder, "stress", *options)
    (contest,) = (folder / "runs").iterdir()
    groups = contest / "audit/groups.csv"
    stressed = ["predict.stress=auto"] if list(contest.glob("stress-*.json")) else []
    kinds = {"random": [], "groups": [f"data.group={groups}"], "test_like": ["holdout=test_like"]}
    if not groups.exists():
        del kinds["groups"]
    words = [f"trials={trials}", f"epochs={epochs}", SPACE, "scheduler.rule=none", "confirm=0"]
    for seed in range(seeds):
        drawn = [f"seed={seed}", f"holdout.seed={seed}", "quiet=true"]
        for kind, own in kinds.items():
            name = f"{kind.replace('_', '-')}-{seed}"
            if not (contest / name).exists():
                run(folder, "run", f"name={name}", *options, *words, *drawn, *own, *stressed)
            yield kind, Search.read(contest / name)


def measured(search: Search, solution: Path) -> Iterator[tuple[str, list[float]]]:
    """The row of each score of a search's hold-out."""
    metric, accuracy = METRICS[search.metric], METRICS["accuracy"]
    trials = [t for t in search.of("sampled") if t.state == "finished"]
    index = {name: i for i, name in enumerate(search.opened.classes)}
    known = pd.read_csv(Path(search.opened.data.root) / solution, dtype=str)
    tests = {
        t.id: Predictions.read(search.trial_folder(t) / predictions_file("test")) for t in trials
    }
    rows = {image: row for row, image in enumerate(next(iter(tests.values())).images)}
    there = [rows[image] for image in known["image"]]
    true = np.array([index[label] for label in known["label"]], np.int64)
    public = {i: metric.score(true, t.probabilities[there]) for i, t in tests.items()}
    right = {i: accuracy.score(true, t.probabilities[there]) for i, t in tests.items()}
    models = models_of([(search, t) for t in trials])
    told = forecast(accuracy, models).models
    off = [abs(told[i].score - right[i]) / accuracy.points for i in told]
    held = [100 * (told[i].low <= right[i] <= told[i].high) for i in told]
    labelled = LabelledImages.of_fold(search.folds_file, trials[0].config.run.fold)
    for part in ("holdout", "stress"):
        files = {t.id: search.trial_folder(t) / predictions_file(part) for t in trials}
        if not all(file.exists() for file in files.values()):
            continue
        seen = {i: labelled.judged(file) for i, file in files.items()}
        scores = {i: metric.score(labelled.labels, p) for i, p in seen.items()}
        order = sorted(scores, key=lambda i: -metric.sign * scores[i])
        candidates = [Validated(id=i, probabilities=seen[i]) for i in order]
        band = [
            c.id for c in competitive_band(metric, labelled.labels, candidates, labelled.groups)[0]
        ]
        if part == "holdout":
            for name, values in estimate(models).ranking.items():
                by = dict(zip((m.id for m in models), values.tolist(), strict=True))
                taus = [kendall([by[i] for i in w], [public[i] for i in w]) for w in (order, band)]
                yield name, [*taus, *[float("nan")] * (len(COLUMNS) - 2)]
        best = max(public.values(), key=lambda s: metric.sign * s)
        yield (
            part,
            [
                kendall([scores[i] for i in order], [public[i] for i in order]),
                kendall([scores[i] for i in band], [public[i] for i in band]),
                float(np.mean([scores[i] - public[i] for i in order])) / metric.points,
                metric.gain(best, public[order[0]]),
                float(np.mean(off)),
                float(np.mean(held)),
            ],
        )


def main() -> None:
    """Prints the table."""
    folder, solution = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    trials, epochs, seeds = (int(word) for word in sys.argv[3:6])
    folder.mkdir(parents=True, exist_ok=True)
    print(
        f"{trials} trials of {epochs} epochs, {seeds} seeds; {machine('torch', 'timm')}", flush=True
    )
    found: dict[str, list[list[float]]] = {}
    for kind, search in searches(folder, trials, epochs, seeds, sys.argv[6:]):
        for part, row in measured(search, solution):
            name = kind if part == "holdout" else f"{kind}, {part}"
            found.setdefault(name, []).append(row)
            print(search.id, part, " ".join(f"{value:.2f}" for value in row), flush=True)
    print(f"\n| hold-out | {' | '.join(COLUMNS)} |\n|{'---|' * (1 + len(COLUMNS))}")
    for name, rows in found.items():
        values = np.array(rows)
        ends = zip(values.mean(axis=0), values.min(axis=0), values.max(axis=0), strict=True)
        cells = [
            "–" if np.isnan(mean) else f"{mean:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
            for digits, (mean, low, high) in zip((2, 2, 1, 1, 1, 0), ends, strict=True)
        ]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
