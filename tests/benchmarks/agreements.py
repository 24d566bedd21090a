"""Agreement where it might be asked for more: python -m tests.benchmarks.agreements [cameras]

The digits are photographed with as many cameras as are asked for. First promotions (the mean of a
configuration's networks of five folds) and blends of two to five of them are compared with trials,
by their mean agreement with the trials of other configurations and by their hold-out or out-of-fold
score. Then two searches of 40 trials are run with Optuna's TPE: one is paid for its accuracy on the
hold-out, the other for its mean agreement with the trials before it. Prints what either score says
of the order of accuracies on the test images, and what the searches find.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import cv2
import numpy as np
import optuna
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from results.forecast.methods import AGREEMENT, FEWEST, Model, estimate
from results.stats.correlation import kendall
from tests.benchmarks.forecasts import fitted
from tests.benchmarks.machine import machine
from tests.cameras import tilted
from trainables.data.digits import photographs

Array = np.ndarray[Any, Any]
CAMERAS, TRIALS, STARTUP, BAND = 12, 40, 10, 0.03
SIZES = (2, 2, 2, 3, 3, 3, 4, 4, 5)
"""Promotions in each of a camera's blends."""


class Photos:
    """The photos of one camera: training ones with folds, tilted copies, and test ones."""

    def __init__(self, seed: int) -> None:
        photos, self.labels, self.trained = photographs(seed)
        small = np.stack([cv2.resize(p, (16, 16), interpolation=cv2.INTER_AREA) for p in photos])
        self.flat = small.reshape(len(small), -1).astype(np.float64)
        copies = tilted(small[: self.trained], np.random.default_rng(seed))
        self.copies = copies.reshape(self.trained, -1).astype(np.float64)
        splitter = StratifiedKFold(5, shuffle=True, random_state=0)
        known = self.labels[: self.trained]
        self.folds = list(splitter.split(self.flat[: self.trained], known))
        self.truth = self.labels[self.trained :]

    def predictions(self, model: Any, fold: int, copies: float) -> tuple[Array, Array]:
        """Probabilities of a fold and of the test by a model that saw so many copies."""
        rows, held = self.folds[fold]
        more = rows[: int(copies * len(rows))]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(
                np.concatenate([self.flat[rows], self.copies[more]]),
                np.concatenate([self.labels[rows], self.labels[more]]),
            )
        return model.predict_proba(self.flat[held]), model.predict_proba(self.flat[self.trained :])

    def right(self, test: Array) -> float:
        """Accuracy on the test."""
        return float((test.argmax(axis=1) == self.truth).mean())


def ordered(one: Array, others: Array, told: Array, told_others: Array) -> float:
    """Share of pairs of two kinds whose order by a score is that of their accuracies."""
    true = np.sign(one[:, None] - others)
    return float((true == np.sign(told[:, None] - told_others))[true != 0].mean())


def of_ensembles(seed: int) -> dict[str, float]:
    """How agreement and hold-out order promotions and blends, and these with trials."""
    photos, rng = Photos(seed), np.random.default_rng(seed)
    trials: dict[str, tuple[Array, float]] = {}
    full: dict[tuple[str, ...], tuple[Array, Array]] = {}
    for copies in (0, 1):
        for name, model in dict(fitted()).items():
            kin = f"{name}, {copies}"
            oof, tests = np.zeros((photos.trained, 10)), []
            for fold, (_, held) in enumerate(photos.folds):
                oof[held], test = photos.predictions(clone(model), fold, copies)
                tests.append(test)
            held = photos.folds[0][1]
            score = float((oof[held].argmax(axis=1) == photos.labels[held]).mean())
            trials[kin], full[(kin,)] = (tests[0], score), (oof, np.mean(tests, axis=0))
    for size in SIZES:
        members = tuple(str(k) for k in rng.choice(list(trials), size, replace=False))
        parts = [full[(m,)] for m in members]
        oofs, merged = zip(*parts, strict=True)
        full[members] = np.mean(oofs, axis=0), np.mean(merged, axis=0)

    def agreement(test: Array, kin: Sequence[str]) -> float:
        told = test.argmax(axis=1)
        others = [t for name, (t, _) in trials.items() if name not in kin]
        return float(np.mean([(told == o.argmax(axis=1)).mean() for o in others]))

    known = photos.labels[: photos.trained]
    right = np.array([photos.right(test) for test, _ in trials.values()])
    agree = np.array([agreement(test, (name,)) for name, (test, _) in trials.items()])
    held_out = np.array([score for _, score in trials.values()])
    found: dict[str, float] = {}
    for what, some in (
        ("promotions", [k for k in full if len(k) == 1]),
        ("blends", [k for k in full if len(k) > 1]),
    ):
        true = np.array([photos.right(full[k][1]) for k in some])
        own = np.array([agreement(full[k][1], k) for k in some])
        pooled = np.array([(full[k][0].argmax(axis=1) == known).mean() for k in some])
        pairs = f"{what} and trials: pairs"
        found[f"{pairs} by agreement"] = ordered(true, right, own, agree)
        found[f"{pairs} by hold-out"] = ordered(true, right, pooled, held_out)
        found[f"{what}: tau of agreement"] = kendall(own, true)
        found[f"{what}: tau of out-of-fold"] = kendall(pooled, true)
    return found


def proposed(trial: optuna.Trial) -> tuple[Any, float]:
    """A small model and how many tilted copies it sees, as a search draws them."""
    kind = trial.suggest_categorical("kind", ["neighbours", "discriminant", "bayes"])
    components = PCA(trial.suggest_int("components", 4, 80, log=True), random_state=0)
    copies = trial.suggest_float("copies", 0, 1)
    if kind == "neighbours":
        last: Any = KNeighborsClassifier(trial.suggest_int("k", 1, 40, log=True))
    elif kind == "discriminant":
        shrinkage = trial.suggest_float("shrinkage", 1e-3, 1, log=True)
        last = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)
    else:
        last = GaussianNB(var_smoothing=trial.suggest_float("smoothing", 1e-9, 1, log=True))
    return make_pipeline(components, last), copies


def of_searches(seed: int) -> dict[str, float]:
    """What a search finds that is paid for its hold-out, and one that is paid for agreeing."""
    photos = Photos(seed)
    found: dict[str, float] = {}
    for paid in ("hold-out", "agreement"):
        models: list[Model] = []

        def value(trial: optuna.Trial, models: list[Model] = models, paid: str = paid) -> float:
            made, copies = proposed(trial)
            holdout, test = photos.predictions(made, 0, copies)
            labels = photos.labels[photos.folds[0][1]].astype(np.int64)
            kin = str(sorted(trial.params.items()))
            name = str(trial.number)
            models.append(
                Model(id=name, fold=0, kin=kin, labels=labels, holdout=holdout, test=test)
            )
            if paid == "hold-out":
                return models[-1].accuracy
            if len(models) < FEWEST:
                return 0.0
            told = float(estimate(models).ranking[AGREEMENT][-1])
            return told if np.isfinite(told) else 0.0

        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.optimize(value, n_trials=TRIALS)
        right = np.array([photos.right(m.test) for m in models])
        held_out = np.array([m.accuracy for m in models])
        agree = estimate(models).ranking[AGREEMENT]
        near = held_out >= held_out.max() - BAND
        found |= {
            f"paid for {paid}: test of the best as paid": right[study.best_trial.number],
            f"paid for {paid}: test of the best by agreement in the band": right[
                np.where(near, agree, -1).argmax()
            ],
            f"paid for {paid}: test of the best there is": right.max(),
            f"paid for {paid}: tau of the hold-out in the band": kendall(
                held_out[near], right[near]
            ),
            f"paid for {paid}: tau of agreement in the band": kendall(agree[near], right[near]),
        }
    return found


def main() -> None:
    """Prints a row per figure."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    cameras = int(sys.argv[1]) if len(sys.argv) > 1 else CAMERAS
    print(f"{cameras} cameras; {machine('scikit-learn', 'optuna')}")
    print("\n| | mean | over the cameras |\n|---|---|---|")
    with ProcessPoolExecutor(2) as pool:
        for judged in (of_ensembles, of_searches):
            every = list(pool.map(judged, range(cameras)))
            for name in every[0]:
                values = [one[name] for one in every]
                ends = f"{np.nanmin(values):.2f} to {np.nanmax(values):.2f}"
                print(f"| {name} | {np.nanmean(values):.3f} | {ends} |", flush=True)


if __name__ == "__main__":
    main()
