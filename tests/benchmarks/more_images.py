"""What more images gain: python -m tests.benchmarks.more_images [seeds] [share of labels]

On the embedded digits, two folds. Pseudo-labels: teachers of one seed label the test images,
students of the same fold learn from them. MixMatch: test images without labels, under
TrivialAugment. A share below 1 leaves labelled images out, which is where other images may help;
these are then labelled images from elsewhere, too. Against each the matched control, the same
training and seed without, and of pseudo-labels the same over as many steps as the student has.
Gains are in points of macro F1, out of fold and on the test's known labels, with Student's t over
the seeds.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from results.metrics import METRICS
from results.predictions import Predictions
from spaces.trial_config import TrialConfig
from trainables.data.contest import Contest, load_contest
from trainables.data.digits import make_digits
from trainables.data.extra import ExtraImages
from trainables.data.folds import make_folds
from trainables.data.store_building import build_store
from trainables.data.teachers import Teachers
from trainables.data.training_set import training_set
from trainables.portable.preparation import Preparation
from trainables.training.actions import ACTIONS
from trainables.training.context import TrainingContext

FOLDS, EPOCHS, TEACHER = 2, 16, 1000

UNLABELLED = 10.0
"""Weight of images without labels: the paper's 75 are for trainings of a million steps."""

METRIC = METRICS["macro_f1"]
Probabilities = NDArray[np.float32]


def smaller(contest: Contest, share: float) -> Contest:
    """A contest with a share of the labelled images, drawn at random; the others are extra ones."""
    count = len(contest.train_images)
    order = np.random.default_rng(0).permutation(count)
    kept, left = (np.sort(rows) for rows in np.split(order, [round(share * count)]))
    names, others = (tuple(contest.train_images[row] for row in rows) for rows in (kept, left))
    extra = ExtraImages(images=others, labels=contest.labels[left]) if others else None
    return replace(contest, train_images=names, labels=contest.labels[kept], extra=extra)


def trained(
    config: TrialConfig, context: TrainingContext, folder: Path
) -> tuple[Probabilities, Probabilities]:
    """Trains on every fold: predictions of all images out of fold, and of the test by fold."""
    held_out = np.zeros((len(context.folds.labels), len(context.classes)), np.float32)
    tests = []
    for fold in range(FOLDS):
        where = folder / str(fold)
        for _ in ACTIONS.of(config.run)(config.replace(fold=fold), context, where):
            pass
        held_out[context.folds.held_out(fold)] = Predictions.read(
            where / "holdout.npz"
        ).probabilities
        tests.append(Predictions.read(where / "test.npz").probabilities)
    return held_out, np.stack(tests)


def main() -> None:
    """Prints the table."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    share = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        root = make_digits(folder / "data")
        contest = smaller(load_contest(name="digits", root=root, extra_images=str(root)), share)
        folds = make_folds(contest, FOLDS)
        context = TrainingContext(
            store=build_store(contest, Preparation(side=44), folder / "store"),
            folds=folds,
            classes=contest.classes,
            metric=METRIC,
            extra=contest.extra,
        )
        base = TrialConfig.of(
            backbone="test_resnet", size=32, store_side=44, lr=5e-3, batch=32, epochs=EPOCHS
        )
        held_out, test = trained(base.replace(seed=TEACHER), context, folder / "teacher")
        teachers = Teachers(folds=np.arange(FOLDS), test=test, held_out=held_out)
        context = replace(context, teachers={"t": teachers})
        soft = base.replace(pseudo="soft", teachers="t")
        more = len(training_set(soft, context).rows) / len(folds.trained_on(0))
        longer = round(EPOCHS * more)
        print(f"a student sees {more:.2f} times as many images as a training without", flush=True)
        moved = base.with_params({"policy": "trivial_augment"})
        arms = {
            "soft": soft,
            "hard": base.replace(pseudo="hard", teachers="t"),
            "MixMatch": moved.replace(action="mixmatch", unlabelled_weight=UNLABELLED),
            "without": base,
            "without, as many steps": base.replace(epochs=longer),
            "without MixMatch": moved,
        }
        controls = {name: ["without", "without, as many steps"] for name in ("soft", "hard")}
        controls["MixMatch"] = ["without MixMatch"]
        if contest.extra is not None:
            arms["extra"] = base.replace(extra="all")
            controls["extra"] = ["without"]
        found: dict[str, list[tuple[Probabilities, Probabilities]]] = {name: [] for name in arms}
        for seed in range(seeds):
            for name, config in arms.items():
                where = folder / f"{name}-{seed}"
                found[name].append(trained(config.replace(seed=seed), context, where))
                print(f"seed {seed}: {name}", flush=True)
        solution = pd.read_csv(root / "solution.csv", dtype=str)
        index = {name: i for i, name in enumerate(contest.classes)}
        known = solution.set_index("image").loc[list(contest.test_images), "label"]
        true = np.array([index[label] for label in known], np.int64)
        print(f"\n{len(folds.labels)} labelled and {len(true)} test images, {seeds} seeds")
        scores = [METRIC.score(folds.labels, held_out)]
        scores.append(METRIC.score(true, test.mean(axis=0)))
        print(f"teachers: {scores[0]:.4f} out of fold, {scores[1]:.4f} on the test")
        for which, labels in enumerate((folds.labels, true)):
            print("\n" + ("out of fold", "on the test, the mean of the folds")[which])
            reached = {
                name: [
                    METRIC.score(labels, f[0] if which == 0 else f[1].mean(axis=0)) for f in runs
                ]
                for name, runs in found.items()
            }
            for student, without in controls.items():
                for control in without:
                    gains = 100 * (np.array(reached[student]) - np.array(reached[control]))
                    half = stats.t.ppf(0.975, seeds - 1) * stats.sem(gains)
                    print(
                        f"  {student} {np.mean(reached[student]):.4f}, {control} "
                        f"{np.mean(reached[control]):.4f}: {gains.mean():+.1f} "
                        f"({gains.mean() - half:+.1f} to {gains.mean() + half:+.1f}) points"
                    )


if __name__ == "__main__":
    main()
