"""Forecasts under twenty shifts: python -m tests.benchmarks.forecasts [cameras]

The digits are photographed with as many cameras as are asked for, and small models of several
kinds, some with three seeds, are fitted to each set, with and without tilted copies of the photos.
From their probabilities for hold-out and test photos the accuracy on the test is forecast by every
method, and by the median of all, which is what `search.forecast` says. Prints how far each is off,
in points: mean over the models, then over the cameras, with the range over these; for the method
that is chosen by the other cameras, how far that one is off; Kendall's tau of what ranks models
without labels, and of the hold-out, with the accuracy on the test; and how far forecasts of
ensembles are off: each kind of model trained on five folds, and the blend of all of them.
"""

from __future__ import annotations

import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from results.forecast.ensembles import Part, estimated_ensemble
from results.forecast.methods import Model, estimate
from results.stats.correlation import kendall
from tests.benchmarks.machine import machine
from tests.cameras import tilted
from trainables.data.digits import photographs

CAMERAS, SEEDS = 20, 3
MEDIAN, HOLDOUT = "median of all (the forecast)", "hold-out"


def fitted() -> list[tuple[str, Any]]:
    """Small models that give probabilities, by what they are called; seeds of one have one name."""
    found: list[tuple[str, Any]] = [
        ("neighbours", KNeighborsClassifier(9)),
        ("discriminant", LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.2)),
        ("components", make_pipeline(PCA(40, random_state=0), LinearDiscriminantAnalysis())),
        ("bayes", make_pipeline(PCA(25, random_state=0), GaussianNB())),
        ("logistic", make_pipeline(StandardScaler(), LogisticRegression(C=1e-2, max_iter=200))),
    ]
    for width in (16, 64):
        found += [
            (
                f"network of {width}",
                make_pipeline(
                    StandardScaler(),
                    MLPClassifier(width, alpha=1.0, max_iter=40, random_state=seed),
                ),
            )
            for seed in range(SEEDS)
        ]
    return found


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The models of one camera.

    Attributes:
        off: By method, how far forecasts are off on average, in points.
        tau: By what ranks models, Kendall's tau with the accuracy on the test.
        together: Of ensembles, how far forecasts and out-of-fold accuracies are off, in points,
            and what merging gains; by what is merged and what is told.
    """

    off: dict[str, float]
    tau: dict[str, float]
    together: dict[tuple[str, str], float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Photos:
    """The photos of a camera, as small models see them.

    Attributes:
        small: uint8 (n, 16, 16).
        labels: int64 (n,).
        trained: How many of them are for training; the others are the test.
    """

    small: NDArray[np.uint8]
    labels: NDArray[np.int64]
    trained: int

    @staticmethod
    def of(seed: int) -> Photos:
        """By a camera."""
        photos, labels, trained = photographs(seed)
        small = [cv2.resize(p, (16, 16), interpolation=cv2.INTER_AREA) for p in photos]
        return Photos(small=np.stack(small), labels=labels.astype(np.int64), trained=trained)

    def fit(self, fold: int, seed: int, once: bool = False) -> list[Model]:
        """Models of all kinds, with and without tilted copies, without a fold.

        Args:
            fold: The fold.
            seed: Of the copies.
            once: Whether one seed of each will do.
        """
        splitter = StratifiedKFold(5, shuffle=True, random_state=0)
        splits = splitter.split(self.small[: self.trained], self.labels[: self.trained])
        rows, held_out = list(splits)[fold]
        flat = self.small.reshape(len(self.small), -1).astype(np.float64)
        copies = tilted(self.small[rows], np.random.default_rng(seed)).reshape(len(rows), -1)
        found: dict[str, Model] = {}
        for more in ((), (copies.astype(np.float64),)):
            known = np.tile(self.labels[rows], 1 + len(more))
            for name, model in fitted():
                kin = f"{name}, {len(more)}"
                if once and kin in found:
                    continue
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", ConvergenceWarning)
                    model.fit(np.concatenate([flat[rows], *more]), known)
                held, test = (
                    model.predict_proba(flat[r]).astype(np.float32)
                    for r in (held_out, slice(self.trained, None))
                )
                found[kin if once else f"{kin}, {len(found)}"] = Model(
                    id=kin,
                    fold=fold,
                    kin=kin,
                    labels=self.labels[held_out],
                    holdout=held,
                    test=test,
                )
        return list(found.values())

    def right(self, test: NDArray[np.floating]) -> float:
        """Accuracy on the test."""
        return float((test.argmax(axis=1) == self.labels[self.trained :]).mean())


def judged(seed: int) -> Judged:
    """Fits the models to the photos of a camera and compares what is told of them with the test."""
    photos = Photos.of(seed)
    models = photos.fit(0, seed)
    right = [photos.right(m.test) for m in models]
    told = estimate(models)
    held = {HOLDOUT: np.array([m.accuracy for m in models])}
    every = np.stack(list(told.by_method.values()))
    levels = {**told.by_method, MEDIAN: np.nanmedian(every, axis=0), **held}
    return Judged(
        off={n: 100 * float(np.nanmean(np.abs(v - np.array(right)))) for n, v in levels.items()},
        tau={n: kendall(v.tolist(), right) for n, v in {**told.ranking, **held}.items()},
        together=together(photos, seed),
    )


def together(photos: Photos, seed: int) -> dict[tuple[str, str], float]:
    """How far what is told of ensembles is off."""
    folds = [photos.fit(fold, 5 * seed + fold, once=True) for fold in range(5)]
    kinds = [list(trainings) for trainings in zip(*folds, strict=True)]
    found: dict[tuple[str, str], list[float]] = {}
    merges = {"five folds of one kind": [[k] for k in kinds], "a blend of all": [kinds]}
    for what, ensembles in merges.items():
        for merged in ensembles:
            parts = [Part(weight=1 / len(merged), trainings=k) for k in merged]
            test = np.mean([m.test for k in merged for m in k], axis=0)
            told = estimated_ensemble("", 0.0, test, 1, parts).accuracies
            labels = np.concatenate([m.labels for m in merged[0]])
            oof = np.mean([np.concatenate([m.holdout for m in k]) for k in merged], axis=0)
            levels = {
                **told,
                MEDIAN: float(np.median(list(told.values()))),
                "out of fold": float((oof.argmax(axis=1) == labels).mean()),
            }
            right = photos.right(test)
            for name, level in levels.items():
                found.setdefault((what, name), []).append(100 * abs(level - right))
            gain = right - float(np.mean([photos.right(m.test) for k in merged for m in k]))
            found.setdefault((what, "gained by merging"), []).append(100 * gain)
    return {key: float(np.mean(values)) for key, values in found.items()}


def main() -> None:
    """Prints a row per method."""
    cameras = int(sys.argv[1]) if len(sys.argv) > 1 else CAMERAS
    with ProcessPoolExecutor(2) as pool:
        both = list(pool.map(judged, range(cameras)))
    every = [one.off for one in both]
    print(f"{cameras} cameras, {2 * len(fitted())} models each; {machine('scikit-learn')}")
    print("\n| method | off on average | over the cameras | of these |\n|---|---|---|---|")
    names = sorted({name for found in every for name in found})
    for name in names:
        values = [found[name] for found in every if name in found]
        ends = f"{min(values):.1f} to {max(values):.1f}"
        print(f"| {name} | {np.mean(values):.1f} | {ends} | {len(values)} |")
    chosen = []
    methods = [name for name in names if all(name in f for f in every) and name != HOLDOUT]
    for left, found in enumerate(every):
        others = [f for i, f in enumerate(every) if i != left]
        best = min(methods, key=lambda n: float(np.mean([f[n] for f in others])))
        chosen.append((best, found[best]))
    mean = np.mean([error for _, error in chosen])
    print(f"\nchosen by the other cameras: {mean:.1f} off; {', '.join({n for n, _ in chosen})}")
    print("\n| ranked by | tau with the test, mean | over the cameras |\n|---|---|---|")
    for name in both[0].tau:
        taus = [one.tau[name] for one in both]
        print(f"| {name} | {np.mean(taus):.2f} | {min(taus):.2f} to {max(taus):.2f} |")
    print("\n| ensemble | told by | points off, mean | over the cameras |\n|---|---|---|---|")
    for what, name in both[0].together:
        points = [one.together[what, name] for one in both]
        print(
            f"| {what} | {name} | {np.mean(points):.1f} | {min(points):.1f} to {max(points):.1f} |"
        )


if __name__ == "__main__":
    main()
