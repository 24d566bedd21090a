"""Twenty simulated cameras: does the test-weighted score rank small models as the test does?

``python -m tests.cameras`` photographs the digits with 20 seeds, fits small models to each set, and
stores what they predict in ``tests/assets/cameras.npz`` (about two minutes).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from results.metrics import METRICS
from results.stats.correlation import kendall
from results.trust.image_weights import weigh_images
from results.trust.validation import PLAIN, weighted_to_test
from trainables.data.digits import photographs

STORED = Path(__file__).parent / "assets" / "cameras.npz"
SEEDS = 20


def models() -> list[Any]:
    """Small models of different strengths and weaknesses, trained on photos as they are."""
    return [
        KNeighborsClassifier(1),
        KNeighborsClassifier(9),
        make_pipeline(PCA(12, random_state=0), KNeighborsClassifier(5)),
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.2),
        make_pipeline(PCA(40, random_state=0), LinearDiscriminantAnalysis()),
        make_pipeline(PCA(25, random_state=0), GaussianNB()),
        RidgeClassifier(alpha=1e6),
        LinearSVC(C=1e-7, random_state=0),
        NearestCentroid(),
    ]


def tilted(photos: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The photos as if seen from further aside: squeezed along a random axis, and blurred."""
    found = []
    for photo in photos:
        axis, squeeze = rng.uniform(0, np.pi), rng.uniform(0.5, 1)
        along = np.array([[np.cos(axis), np.sin(axis)], [-np.sin(axis), np.cos(axis)]])
        matrix = along.T @ np.diag([squeeze, 1]) @ along
        shift = (photo.shape[0] - 1) / 2 * (1 - matrix @ np.ones(2))
        moved = cv2.warpAffine(photo, np.column_stack([matrix, shift]), photo.shape[::-1])
        found.append(cv2.GaussianBlur(moved, (0, 0), 0.8))
    return np.stack(found)


def predictions(seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
    """Fits every model with and without tilted copies of the training photos.

    Returns:
        Classes predicted by each model, uint8 (models, n), for hold-out then test photos; the true
        ones, uint8 (n,); weights of the hold-out towards the test, float32.
    """
    photos, labels, trained = photographs(seed)
    small = np.stack([cv2.resize(p, (16, 16), interpolation=cv2.INTER_AREA) for p in photos])
    splitter = StratifiedKFold(5, shuffle=True, random_state=0)
    rows, held_out = next(splitter.split(small[:trained], labels[:trained]))
    asked = np.concatenate([held_out, np.arange(trained, len(photos))])
    flat = small.reshape(len(small), -1).astype(np.float64)
    rng = np.random.default_rng(seed)
    copies = tilted(small[rows], rng).reshape(len(rows), -1).astype(np.float64)
    found = []
    for more in ((), (copies,)):
        for model in models():
            model.fit(np.concatenate([flat[rows], *more]), np.tile(labels[rows], 1 + len(more)))
            found.append(model.predict(flat[asked]))
    features = PCA(32, random_state=0).fit(flat[rows]).transform(flat)
    shift = weigh_images(features[held_out], features[trained:])
    labelled = labels[asked].astype(np.uint8)
    return np.stack(found).astype(np.uint8), labelled, shift.weights.astype(np.float32)


def taus() -> NDArray[np.float64]:
    """Kendall's tau of hold-out and test macro F1 over the models, (seeds, 2): plain, weighted."""
    metric = METRICS["macro_f1"]
    rows = []
    with np.load(STORED) as stored:
        for predicted, labelled, weights in zip(
            stored["predicted"], stored["truth"], stored["weights"], strict=True
        ):
            n = len(weights)
            labels, chosen = labelled.astype(np.int64), np.eye(10)[predicted]
            test = [metric.score(labels[n:], p[n:]) for p in chosen]
            rows.append(
                [
                    kendall([v.of(metric).score(labels[:n], p[:n]) for p in chosen], test)
                    for v in (PLAIN, weighted_to_test(weights.astype(np.float64)))
                ]
            )
    return np.array(rows)


def report() -> str:
    """Mean taus and their paired difference with a 95 % interval over the cameras."""
    found = taus()
    difference = found[:, 1] - found[:, 0]
    half = stats.t.ppf(0.975, len(found) - 1) * stats.sem(difference)
    plain, weighted = found.mean(axis=0)
    return (
        f"Over {len(found)} cameras and {2 * len(models())} models each, the mean tau of the plain "
        f"score with the test is {plain:.3f}, that of the test-weighted one {weighted:.3f}: "
        f"{difference.mean():+.3f} (95 % interval {difference.mean() - half:+.3f} to "
        f"{difference.mean() + half:+.3f})."
    )


if __name__ == "__main__":
    made = [predictions(seed) for seed in range(SEEDS)]
    names = ("predicted", "truth", "weights")
    stacked: dict[str, Any] = {n: np.stack([m[i] for m in made]) for i, n in enumerate(names)}
    np.savez_compressed(STORED, **stacked)
    print(report())
