"""Which cheaper training ranks as the whole: python -m tests.benchmarks.fidelity [configurations]

Configurations of augmentation and schedule are drawn at random and trained on the embedded digits,
enlarged to 64 pixels: whole; for a quarter of the epochs, with a schedule of that length; at half
the size; on a third of the images. A rung is what early stopping sees, the whole training's score
after a quarter of its epochs. Prints what each costs of the whole training, in seconds of the
processor, and Kendall's tau with the whole training's score on the hold-out and on the test, and
how many points of the test's macro F1 are lost where it alone chooses.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch
from numpy.typing import NDArray

from results.predictions import Predictions
from results.stats.correlation import kendall_interval
from spaces.ready import ready_space
from tests.benchmarks.embedded_digits import METRIC, Digits
from tests.benchmarks.machine import machine
from trainables.data.folds import Folds
from trainables.training.fit import fit

SIZE, EPOCHS = 64, 12
RUNG, WHOLE = "a rung at a quarter", "the whole training"
OTHERS = ("a quarter of the epochs", "half the size", "a third of the images", RUNG)

Curve = list[float]


class FewFolds(Folds):
    """Folds of which a training sees every third image."""

    def trained_on(self, fold: int) -> NDArray[np.int64]:
        """Rows that a training of ``fold`` sees, in order."""
        return super().trained_on(fold)[::3]


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to train a configuration.

    Attributes:
        digits: What it is trained on.
        epochs: For how long, warm-up included.
    """

    digits: Digits
    epochs: int = EPOCHS

    def trained(self, params: Mapping[str, Any], seed: int, folder: Path) -> tuple[Curve, float]:
        """Scores on the hold-out, epoch after epoch, and seconds of the processor."""
        config = self.digits.base.with_params(params).replace(seed=seed).shortened(self.epochs)
        begun = time.process_time()
        curve = [
            event.report["metrics"]["val/macro_f1"]
            for event in fit(config, self.digits.context, folder)
        ]
        return curve, time.process_time() - begun


def ways(folder: Path) -> dict[str, Way]:
    """By name; the whole training first."""
    whole, small = (Digits.made(folder / str(side), side, EPOCHS) for side in (SIZE, SIZE // 2))
    folds = whole.context.folds
    few = FewFolds(images=folds.images, labels=folds.labels, fold=folds.fold, groups=folds.groups)
    third = replace(whole, context=replace(whole.context, folds=few))
    return {
        WHOLE: Way(digits=whole),
        OTHERS[0]: Way(digits=whole, epochs=EPOCHS // 4),
        OTHERS[1]: Way(digits=small),
        OTHERS[2]: Way(digits=third),
    }


def main() -> None:
    """Trains all and prints a row per way."""
    torch.set_num_threads(1)
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    print(f"{wanted} configurations, {SIZE} pixels, {EPOCHS} epochs; {machine('torch', 'timm')}")
    space = ready_space("aug_policy").join(ready_space("schedule"))
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    scores: dict[str, Curve] = {name: [] for name in (WHOLE, *OTHERS)}
    spent: dict[str, list[float]] = {name: [] for name in scores}
    tests: Curve = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        made = ways(folder)
        for number in range(wanted):
            params = space.suggest(study.ask())
            for name, way in made.items():
                place = folder / f"{number}-{name}"
                curve, seconds = way.trained(params, number, place)
                scores[name].append(curve[-1])
                spent[name].append(seconds)
                if name == WHOLE:
                    scores[RUNG].append(curve[EPOCHS // 4 - 1])
                    spent[RUNG].append(seconds * (EPOCHS // 4) / EPOCHS)
                    test = Predictions.read(place / "test.npz").probabilities
                    tests.append(METRIC.score(way.digits.truth, test))
            told = ", ".join(f"{name} {values[-1]:.4f}" for name, values in scores.items())
            print(f"{number}: {told}; test {tests[-1]:.4f}", flush=True)
    print("| what ranks | cost | tau with the hold-out | tau with the test | points lost |")
    print("|---|---|---|---|---|")
    for name, values in scores.items():
        cost = sum(spent[name]) / sum(spent[WHOLE])
        with_holdout, with_test = (
            f"{tau.value:.2f} ({tau.low:.2f} to {tau.high:.2f})"
            for tau in (kendall_interval(values, other) for other in (scores[WHOLE], tests))
        )
        lost = 100 * (max(tests) - tests[int(np.argmax(values))])
        print(f"| {name} | {cost:.2f} | {with_holdout} | {with_test} | {lost:.1f} |")


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    main()
