"""A model of seconds, whose score says what a split lets through."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from results.metrics import METRICS


def linear_score(
    points: NDArray[np.float32],
    labels: NDArray[np.int64],
    fold: NDArray[np.int64],
    asked: NDArray[np.int64],
) -> float:
    """Macro F1 of cross-fitted linear discriminants.

    Args:
        points: Appearance, (n, features).
        labels: int (n,).
        fold: int (n,), when each image is held out.
        asked: Rows that take part.

    Returns:
        From 0 to 1; NaN where some fold leaves one class only.
    """
    points, labels, fold = points[asked], labels[asked], fold[asked]
    told = np.zeros((len(labels), int(labels.max()) + 1))
    for k in np.unique(fold):
        trained, held = fold != k, fold == k
        if len(np.unique(labels[trained])) < 2:
            return float("nan")
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of directions in which nothing varies
            predicted = model.fit(points[trained], labels[trained]).predict(points[held])
        told[np.flatnonzero(held), predicted] = 1
    return float(METRICS["macro_f1"].score(labels, told))
