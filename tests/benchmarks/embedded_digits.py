"""The embedded digits, ready to be trained on, with the truth of their test images."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from results.metrics import METRICS
from results.predictions import Predictions
from spaces.trial_config import TrialConfig
from trainables.data.contest import load_contest
from trainables.data.digits import make_digits
from trainables.data.folds import make_folds
from trainables.data.image_store import store_side
from trainables.data.store_building import build_store
from trainables.portable.preparation import Preparation
from trainables.training.context import TrainingContext
from trainables.training.fit import fit

METRIC = METRICS["macro_f1"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Digits:
    """What trainings of a benchmark have in common.

    Attributes:
        context: Data and metric.
        base: The untuned configuration.
        truth: Class indices of the test images, int64 (n,).
    """

    context: TrainingContext
    base: TrialConfig
    truth: NDArray[np.int64]

    @staticmethod
    def made(folder: Path, size: int, epochs: int = 12) -> Digits:
        """Makes the contest in a folder; its images are seen at ``size`` pixels."""
        root = make_digits(folder / "data")
        contest = load_contest(name="digits", root=root)
        side = store_side(size)
        context = TrainingContext(
            store=build_store(contest, Preparation(side=side), folder / "store"),
            folds=make_folds(contest, 5),
            classes=contest.classes,
            metric=METRIC,
        )
        base = TrialConfig.of(
            backbone="test_resnet", size=size, store_side=side, lr=5e-3, batch=32, epochs=epochs
        )
        solution = pd.read_csv(root / "solution.csv", dtype=str).set_index("image")["label"]
        index = {name: i for i, name in enumerate(contest.classes)}
        truth = np.array([index[solution[image]] for image in contest.test_images], np.int64)
        return Digits(context=context, base=base, truth=truth)

    def scores(self, config: TrialConfig, folder: Path) -> tuple[float, float]:
        """Trains; gives macro F1 of the hold-out and of the test."""
        *_, last = fit(config, self.context, folder)
        test = Predictions.read(folder / "test.npz").probabilities
        return last.report["metrics"]["val/macro_f1"], METRIC.score(self.truth, test)


def interval(values: list[float]) -> str:
    """Mean and half width of Student's interval, 95 %."""
    mean = statistics.mean(values)
    if len(values) < 2:
        return f"{mean:+.2f}"
    half = stats.t.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5
    return f"{mean:+.2f} ± {half:.2f}"
