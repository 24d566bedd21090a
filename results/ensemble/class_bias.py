"""Biases per class: which class is called when probabilities are close."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from results.masks.merging import TINY
from results.metrics import Floats, Ints, Metric

BIASES = np.linspace(-2.0, 2.0, 41)
"""What is tried, in natural logarithms: factors of 0.14 to 7.4 on a class's probability."""

_PASSES = 3


def counts_labels_only(metric: Metric, labels: Ints, probabilities: NDArray[np.floating]) -> bool:
    """Whether a metric looks at the likeliest class alone, as accuracy and F1 do."""
    certain = np.eye(probabilities.shape[1])[probabilities.argmax(axis=1)]
    found = metric.score(labels, probabilities), metric.score(labels, certain)
    return bool(np.isfinite(found).all() and abs(found[0] - found[1]) < 1e-12)


def confusion_scores(metric: Metric, confusions: NDArray[np.integer]) -> Floats:
    """Scores of confusion matrices, for a metric that looks at the likeliest class alone.

    Args:
        metric: Such a metric.
        confusions: Counts (b, classes, classes), the true class first.

    Returns:
        Scores (b,).
    """
    classes = confusions.shape[1]
    actual, predicted = np.divmod(np.arange(classes**2), classes)
    return metric.weighted(
        actual, np.eye(classes)[predicted], confusions.reshape(len(confusions), -1).astype(float)
    )


def fit_class_biases(metric: Metric, labels: Ints, probabilities: NDArray[np.floating]) -> Floats:
    """Finds logarithmic biases, to be added before the largest is taken, that suit a metric.

    Coordinate ascent over the classes; with two classes this is the choice of a threshold.

    Args:
        metric: One that looks at the likeliest class alone.
        labels: int (n,).
        probabilities: (n, classes).

    Returns:
        Biases (classes,); all 0 if nothing is gained.
    """
    sign = metric.sign
    n, classes = probabilities.shape
    logs = np.log(np.maximum(probabilities, TINY)).astype(np.float32)
    biases = np.zeros(classes)
    best = -np.inf
    steps = len(BIASES) + 1
    for _ in range(_PASSES):
        before = biases.copy()
        for c in range(classes):
            others = logs + biases.astype(np.float32)
            others[:, c] = -np.inf
            rival = others.argmax(axis=1)
            needed = others[np.arange(n), rival] - logs[:, c]
            # The class is called from the first bias on that exceeds what is needed.
            first = np.searchsorted(BIASES, needed, side="right")
            cells = (first * classes + labels) * classes + rival
            found = np.bincount(cells, minlength=steps * classes**2)
            by_step = found.reshape(steps, classes, classes)
            won = by_step.cumsum(axis=0)[:-1]
            confusions = by_step.sum(axis=0) - won  # still the rival's
            confusions[:, :, c] += won.sum(axis=2)
            scores = sign * confusion_scores(metric, confusions)
            # Of equal scores the smallest bias is taken.
            top = np.flatnonzero(scores >= np.nanmax(scores) - 1e-12)
            choice = int(top[np.abs(BIASES[top]).argmin()])
            if scores[choice] > best + 1e-12:
                best, biases[c] = float(scores[choice]), BIASES[choice]
        if (biases == before).all():
            break
    return biases
