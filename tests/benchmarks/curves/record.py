"""Records learning curves once: python -m tests.benchmarks.curves.record <set> [configurations]

Draws configurations at random, trains each on one core and keeps its score after every epoch. What
was trained before is kept, so it may be stopped, and go on with more. The photos of groceries are
those of GROCERY, the Grocery Store Dataset as a contest, whose column `category` has three kinds.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import torch

from results.metrics import METRICS
from spaces.ready import ready_space
from spaces.space import SearchSpace
from spaces.trial_config import TrialConfig
from tests.benchmarks.curves.perceptrons import (
    UNTUNED,
    Pictures,
    perceptron_curve,
    perceptron_space,
)
from tests.benchmarks.curves.recorded import EPOCHS, Curves, curves_file
from tests.benchmarks.overhead import bare
from trainables.data.contest import load_contest
from trainables.data.digits import make_digits
from trainables.data.folds import make_folds
from trainables.data.store_building import build_store
from trainables.portable.preparation import Preparation
from trainables.training.context import TrainingContext
from trainables.training.fit import fit

Train = Callable[[Mapping[str, Any], int], list[float]]
"""From what was drawn, nothing for the untuned configuration, and a seed to a curve."""

BASELINES = 4
"""Trainings of the untuned configuration, with a seed each."""

FIRST_SEED = 100
"""Of the drawn configurations; each has the next."""

SIDE, STORED = 16, 22
"""Pixels of the images, as trained and as stored: what a core trains in a fraction of a second."""

FOLDS = 2
"""Half of the training images are trained on, the others tell the score."""

WIDTHS = (8, 16, 32)
"""Channels after each convolution."""


def small_network(config: TrialConfig, classes: int) -> torch.nn.Module:
    """Three convolutions, each normalised over the batch and halved: seconds for a training."""
    layers: list[torch.nn.Module] = []
    before = 3
    for width in WIDTHS:
        layers += [
            torch.nn.Conv2d(before, width, 3, padding=1, bias=False),
            torch.nn.BatchNorm2d(width),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
        ]
        before = width
    head = torch.nn.Linear(before, classes)
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), head)


@contextlib.contextmanager
def digits_trainings() -> Iterator[Train]:
    """Trainings of this project's own on the embedded contest, with a small network."""
    untuned = TrialConfig.of(
        model="tests.benchmarks.curves.record:small_network",
        lr=5e-3,
        batch=32,
        epochs=EPOCHS,
        size=(SIDE, SIDE),
        store_side=STORED,
    )
    with tempfile.TemporaryDirectory() as scratch, bare():  # nobody goes on with these
        place = Path(scratch)
        contest = load_contest(name="digits", root=make_digits(place / "data"))
        context = TrainingContext(
            store=build_store(contest, Preparation(side=STORED), place / "store"),
            folds=make_folds(contest, FOLDS),
            classes=contest.classes,
            metric=METRICS["macro_f1"],
            own={untuned.model.kind: small_network},
            predict_test=False,
        )

        def train(params: Mapping[str, Any], seed: int) -> list[float]:
            config = untuned.with_params(params).replace(seed=seed)
            return [e.report["metrics"]["val/macro_f1"] for e in fit(config, context, place / "t")]

        yield train


def perceptron_trainings(pictures: Callable[[], Pictures]) -> Recipe:
    """Plain trainings of small perceptrons."""

    @contextlib.contextmanager
    def trainings() -> Iterator[Train]:
        made = pictures()
        yield lambda drawn, seed: perceptron_curve({**UNTUNED, **drawn}, made, seed)

    return Recipe(space=perceptron_space, trainings=trainings)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a set is recorded of.

    Attributes:
        space: What configurations are drawn from.
        trainings: What trains them.
    """

    space: Callable[[], SearchSpace]
    trainings: Callable[[], contextlib.AbstractContextManager[Train]]


SETS: Mapping[str, Recipe] = {
    "digits": Recipe(
        space=lambda: ready_space("aug_policy").join(ready_space("schedule")),
        trainings=digits_trainings,
    ),
    "perceptrons": perceptron_trainings(Pictures.digits),
    "camera": perceptron_trainings(Pictures.camera),
    "groceries": perceptron_trainings(
        lambda: Pictures.of_contest(Path(os.environ["GROCERY"]), "category")
    ),
}


def record(name: str, wanted: int) -> None:
    """Trains what is missing of a set."""
    torch.set_num_threads(1)
    recipe = SETS[name]
    space = recipe.space()
    curves = Curves.read(name) if curves_file(name).is_file() else Curves.empty(space)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    with recipe.trainings() as train:
        for seed in range(len(curves.baselines), BASELINES):
            curves = curves.with_baseline(train({}, seed))
        for number in range(wanted):
            params = space.suggest(study.ask())
            if number < len(curves.params):
                continue
            begun = time.perf_counter()
            scores = train(params, FIRST_SEED + number)
            curves = curves.with_trained(params, scores)
            curves.write(name)
            seconds = time.perf_counter() - begun
            print(f"{name} {number}: {scores[-1]:.4f}, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    record(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 150)
