"""Fold trainings that a right choice among finalists costs: the race against what others would do.

    python -m tests.benchmarks.promotion [contests]

Each contest is real: 500 of scikit-learn's digits to train on, a tenth of their labels wrong, in
five folds; the other 1,297 are the test. Classifiers of four kinds, 24 drawn at random, are ranked
on fold 0, as a search ranks its trials, and the best six are the finalists. What one is worth is
the test accuracy of the mean of its five folds' probabilities. Ways to choose:

- all folds of all finalists, or of the best three, and the highest mean over folds 1 to 4;
- Optuna's WilcoxonPruner with its defaults, as its documentation uses it: a finalist is a trial,
  its folds are reported one by one, the highest mean of those not pruned wins;
- ``race=``: folds 1 and 2 of so many, then the others of whoever is left (`arms_left`).

A choice is right when it is worth no less than the best finalist by half a standard error of a
hold-out score of 100 images. Prints trainings (fold 0 is there already), how often the choice was
right, the points lost, trainings per right choice and its ratio to ours with a 95 % interval over
contests.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from results.ensemble.out_of_fold import arms_left
from results.metrics import METRICS
from tests.benchmarks.machine import machine

TRAINED, WRONG = 500, 0.1
CONFIGURATIONS, FINALISTS, FOLDS = 24, 6, 5
RACE_FOLDS = (1, 2)


@dataclass(frozen=True)
class Contest:
    """Finalists, best on fold 0 first, trained on every fold.

    Attributes:
        labels: int (n,), of the training images.
        folds: int (n,).
        held_out: float (finalists, n, classes), out of fold.
        worth: Test accuracy of each finalist.
    """

    labels: NDArray[Any]
    folds: NDArray[Any]
    held_out: NDArray[np.float64]
    worth: NDArray[np.float64]

    def score(self, finalist: int, fold: int) -> float:
        """Accuracy on a fold."""
        rows = self.folds == fold
        return accuracy(self.labels[rows], self.held_out[finalist, rows])


def accuracy(labels: NDArray[Any], probabilities: NDArray[np.float64]) -> float:
    """Share of images whose likeliest class is right."""
    return float((probabilities.argmax(1) == labels).mean())


def drawn(rng: np.random.Generator) -> ClassifierMixin:
    """A classifier of four kinds."""
    seed = int(rng.integers(2**31))
    kind = rng.integers(4)
    if kind == 0:
        return LogisticRegression(C=10 ** rng.uniform(-4, 1), max_iter=200)
    if kind == 1:
        return KNeighborsClassifier(
            n_neighbors=int(rng.integers(1, 16)), weights=str(rng.choice(["uniform", "distance"]))
        )
    if kind == 2:
        return GaussianNB(var_smoothing=10 ** rng.uniform(-4, 0))
    return RandomForestClassifier(
        n_estimators=int(rng.integers(10, 60)),
        max_depth=int(rng.integers(4, 12)),
        max_features=float(rng.uniform(0.05, 0.5)),
        random_state=seed,
    )


def contest(seed: int) -> Contest:
    """Draws images, folds and classifiers, and trains them."""
    rng = np.random.default_rng(seed)
    images, classes = load_digits(return_X_y=True)
    images = images / 16
    train, test = train_test_split(
        np.arange(len(images)), train_size=TRAINED, random_state=seed, stratify=classes
    )
    labels = classes[train].copy()
    wrong = rng.random(TRAINED) < WRONG
    labels[wrong] = rng.integers(10, size=int(wrong.sum()))
    folds = np.zeros(TRAINED, int)
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    for fold, (_, rows) in enumerate(splitter.split(images[train], labels)):
        folds[rows] = fold
    held_out = np.zeros((CONFIGURATIONS, TRAINED, 10))
    worth = np.zeros(CONFIGURATIONS)
    for number in range(CONFIGURATIONS):
        classifier = drawn(rng)
        tested = np.zeros((len(test), 10))
        for fold in range(FOLDS):
            rows = folds == fold
            classifier.fit(images[train][~rows], labels[~rows])
            held_out[number, rows] = classifier.predict_proba(images[train][rows])
            tested += classifier.predict_proba(images[test])
        worth[number] = accuracy(classes[test], tested / FOLDS)
    rows = folds == 0
    ranked = [accuracy(labels[rows], held_out[n, rows]) for n in range(CONFIGURATIONS)]
    best = np.argsort(-np.array(ranked), kind="stable")[:FINALISTS]
    return Contest(labels, folds, held_out[best], worth[best])


OURS = "race=3"

Choice = tuple[int, int]
"""The finalist that was chosen, and the trainings that it took."""


def all_folds(found: Contest, finalists: int) -> Choice:
    """Trains every fold of the best finalists on the hold-out."""
    later = range(1, FOLDS)
    means = [np.mean([found.score(n, fold) for fold in later]) for n in range(finalists)]
    return int(np.argmax(means)), finalists * len(later)


def wilcoxon(found: Contest, finalists: int) -> Choice:
    """Prunes finalists whose folds are worse than the best one's by the signed-rank test."""
    trainings = 0

    def objective(trial: optuna.Trial) -> float:
        nonlocal trainings
        finalist, scores = trial.suggest_int("finalist", 0, finalists - 1), []
        for fold in range(1, FOLDS):
            trainings += 1
            scores.append(found.score(finalist, fold))
            trial.report(scores[-1], fold)
            if trial.should_prune():
                return float(np.mean(scores))
        return float(np.mean(scores))

    study = optuna.create_study(
        direction="maximize",
        pruner=optuna.pruners.WilcoxonPruner(),
        sampler=optuna.samplers.BruteForceSampler(seed=0),
    )
    for finalist in range(finalists):
        study.enqueue_trial({"finalist": finalist})
    study.optimize(objective, n_trials=finalists)
    return int(study.best_params["finalist"]), trainings


def race(found: Contest, finalists: int) -> Choice:
    """Folds 1 and 2 of all, then the others of whoever is left."""
    rows = np.isin(found.folds, RACE_FOLDS)
    arms = {str(n): found.held_out[n, rows] for n in range(finalists)}
    left = arms_left(METRICS["accuracy"], found.labels[rows], arms, None)
    others = FOLDS - 1 - len(RACE_FOLDS)
    return int(left[0]), finalists * len(RACE_FOLDS) + len(left) * others


WAYS: dict[str, tuple[Callable[[Contest, int], Choice], int]] = {
    "all folds of 6": (all_folds, 6),
    "all folds of 3": (all_folds, 3),
    "WilcoxonPruner, 6": (wilcoxon, 6),
    "WilcoxonPruner, 3": (wilcoxon, 3),
    "race=6": (race, 6),
    "race=3": (race, 3),
    "the hold-out's best": (lambda found, finalists: (0, FOLDS - 1), 1),
}


@dataclass(frozen=True)
class Outcome:
    """What a way to choose came to, by contest: trainings, right or not, and points lost."""

    spent: NDArray[np.float64]
    right: NDArray[np.bool_]
    lost: NDArray[np.float64]

    def cost(self, drawn: NDArray[np.int64]) -> NDArray[np.float64]:
        """Trainings per right choice in resampled contests, int64 (draws, contests)."""
        return np.asarray(self.spent[drawn].mean(1) / self.right[drawn].mean(1))


def outcome(name: str, contests: Sequence[Contest]) -> Outcome:
    """Chooses in every contest."""
    choose, finalists = WAYS[name]
    choices = [choose(found, finalists) for found in contests]
    best = np.array([c.worth.max() for c in contests])
    lost = best - [c.worth[n] for c, (n, _) in zip(contests, choices, strict=True)]
    error = (best * (1 - best) / (TRAINED / FOLDS)) ** 0.5
    spent = np.array([trainings for _, trainings in choices], float)
    return Outcome(spent, lost <= error / 2, 100 * lost)


def main(contests: int) -> None:
    """Prints the table."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    print(machine("optuna", "scikit-learn"))
    found = [contest(seed) for seed in range(contests)]
    outcomes = {name: outcome(name, found) for name in WAYS}
    every = np.arange(contests)[None]
    drawn = np.random.default_rng(0).integers(contests, size=(2000, contests))
    print(f"{contests} contests; trainings beside fold 0's; per right choice, and times {OURS}")
    for name, theirs in outcomes.items():
        spent, right, lost = theirs.spent.mean(), 100 * theirs.right.mean(), theirs.lost.mean()
        cost, ours = (float(side.cost(every)[0]) for side in (theirs, outcomes[OURS]))
        times = theirs.cost(drawn) / outcomes[OURS].cost(drawn)
        low, high = np.quantile(times, [0.025, 0.975])
        print(
            f"{name:20} {spent:5.1f} trainings, {right:3.0f} % right, {lost:.2f} points lost; "
            f"{cost:5.1f}, {cost / ours:.2f} ({low:.2f} to {high:.2f})"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
