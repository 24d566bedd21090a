"""Wrong labels that are known: python -m tests.benchmarks.labels [contest] [pixels] [epochs]

Turns 5 % of the training labels of the digits, or of a contest's ``train.csv``, into others at
random. Five folds are trained on what is then given, and their out-of-fold predictions are searched
for suspects: how many of these are wrong (precision), and how many of the wrong ones are among them
(recall), for each of cleanlab's rules and for ours. Then a person who knows the truth looks at the
suspects, and the folds are trained once more on what that corrects, in several ways; scores are on
true labels of held-out images, and on those given, a seed per fold, with Student's t over folds.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from cleanlab.filter import find_label_issues
from numpy.typing import NDArray
from scipy import stats

from results.labels.suspects import Suspects, find_suspects
from results.metrics import METRICS
from results.predictions import Predictions
from spaces.trial_config import TrialConfig
from trainables.data.contest import Contest, load_contest
from trainables.data.corrections import Corrections
from trainables.data.digits import make_digits
from trainables.data.folds import Folds, make_folds
from trainables.data.image_store import store_side
from trainables.data.store_building import build_store
from trainables.portable.preparation import Preparation
from trainables.training.context import TrainingContext
from trainables.training.fit import fit

WRONG, FOLDS = 0.05, 5
DEFAULTS = ("32", "12")
RULES = (
    "prune_by_noise_rate",
    "prune_by_class",
    "both",
    "confident_learning",
    "low_normalized_margin",
    "low_self_confidence",
)
METRIC = METRICS["macro_f1"]


def planted(contest: Contest) -> NDArray[np.int64]:
    """The labels, some of which are turned into another class."""
    rng = np.random.default_rng(0)
    labels = contest.labels.copy()
    rows = rng.choice(len(labels), round(WRONG * len(labels)), replace=False)
    labels[rows] = (labels[rows] + rng.integers(1, len(contest.classes), len(rows))) % len(
        contest.classes
    )
    return labels


def out_of_fold(config: TrialConfig, context: TrainingContext, place: Path) -> NDArray[np.float32]:
    """Trains every fold; probabilities of all images by the models that did not see them."""
    found = np.zeros((len(context.folds.labels), len(context.classes)), np.float32)
    for fold in range(FOLDS):
        folder = place / str(fold)
        begun = time.perf_counter()
        for _ in fit(config.replace(fold=fold, seed=fold), context, folder):
            pass
        held_out = context.folds.held_out(fold)
        found[held_out] = Predictions.read(folder / "holdout.npz").probabilities
        seconds = time.perf_counter() - begun
        print(f"  {place.name}, fold {fold}: {seconds:.0f} s", file=sys.stderr, flush=True)
    return found


def told(contest: Contest, given: NDArray[np.int64], labels: NDArray[np.int64]) -> Corrections:
    """Corrections to some labels."""
    return Corrections(
        classes=contest.classes,
        given=given,
        labels=labels,
        left_out=np.zeros(len(labels), bool),
        looked_at=np.flatnonzero(labels != given),
        images=contest.train_images,
    )


def judge(rows: NDArray[np.int64], wrong: NDArray[np.bool_]) -> str:
    """How many, how many of them wrong, how many of the wrong."""
    hits = int(wrong[rows].sum())
    precision, recall = hits / len(rows), hits / wrong.sum()
    return f"{len(rows):4} suspects, precision {precision:.2f}, recall {recall:.2f}"


def scores(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], folds: Folds
) -> NDArray[np.float64]:
    """The metric of each fold."""
    rows = [folds.held_out(fold) for fold in range(FOLDS)]
    return np.array([METRIC.score(labels[r], probabilities[r]) for r in rows])


def gain(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> str:
    """Mean difference in points and its 95 % interval over folds and their seeds."""
    points = 100 * (ours - theirs)
    half = float(stats.t.ppf(0.975, len(points) - 1) * stats.sem(points))
    return f"{points.mean():+.1f} ({points.mean() - half:+.1f} to {points.mean() + half:+.1f})"


def proposals(found: Suspects, given: NDArray[np.int64]) -> NDArray[np.int64]:
    """All proposals taken as they are."""
    labels = given.copy()
    labels[found.rows] = found.proposed
    return labels


def main() -> None:
    """Prints both tables."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    side, epochs = (int(a) for a in [*sys.argv[2:], *DEFAULTS[len(sys.argv[2:]) :]])
    config = TrialConfig.of(
        backbone="test_resnet",
        size=(side, side),
        store_side=store_side(side),
        lr=5e-3,
        batch=32,
        epochs=epochs,
    )
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        contest = load_contest(name="bench", root=root or make_digits(place / "data"), test="")
        given = planted(contest)
        wrong = given != contest.labels
        as_given = replace(contest, labels=given)
        folds = make_folds(as_given, FOLDS)
        context = TrainingContext(
            store=build_store(as_given, Preparation(side=store_side(side)), place / "store"),
            folds=folds,
            classes=contest.classes,
            metric=METRIC,
        )
        before = out_of_fold(config, context, place / "given")
        shares = before.astype(np.float64) / before.sum(axis=1, keepdims=True, dtype=np.float64)
        print(f"{len(given):,} images, {len(contest.classes)} classes, {wrong.sum()} labels wrong")
        for rule in RULES:
            rows = find_label_issues(
                given, shares, filter_by=rule, n_jobs=1, return_indices_ranked_by="self_confidence"
            )
            rows = rows[shares[rows].argmax(axis=1) != given[rows]]
            print(f"  {rule:22}{judge(rows, wrong)}")
        found = find_suspects(given, before)
        print(f"  {'ours':22}{judge(found.rows, wrong)}")
        right = wrong[found.rows] & (found.proposed == contest.labels[found.rows])
        share = right.sum() / wrong[found.rows].sum()
        print(f"  {share:.0%} of the wrong ones that are found are proposed what they are")
        accepted = given.copy()
        accepted[found.rows] = contest.labels[found.rows]
        ways: dict[str, tuple[NDArray[np.int64], dict[str, Any]]] = {
            "relabel": (accepted, {"labels": "relabel"}),
            "drop": (accepted, {"labels": "drop"}),
            "downweight": (accepted, {"labels": "downweight", "label_weight": 0.3}),
            "unseen proposals": (proposals(found, given), {"labels": "relabel"}),
        }
        of_given = [scores(before, labels, folds) for labels in (contest.labels, given)]
        means = [float(s.mean()) for s in of_given]
        print(f"macro F1 on true labels {means[0]:.4f}, on those given {means[1]:.4f}; gain of")
        for name, (labels, settings) in ways.items():
            corrections = told(contest, given, labels)
            changed = replace(context, corrections=corrections)
            ours = config.with_params(settings).replace(corrections=corrections.digest)
            after = out_of_fold(ours, changed, place / name)
            gains = [
                gain(scores(after, truth, folds), theirs)
                for truth, theirs in zip((contest.labels, given), of_given, strict=True)
            ]
            print(f"  {name:18}{gains[0]} on true labels, {gains[1]} on those given", flush=True)


if __name__ == "__main__":
    main()
