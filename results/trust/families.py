"""Which models are relatives: they err on the same images, beyond what is hard for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import scipy
from numpy.typing import NDArray

from results.metrics import Floats, Ints

RELATED = 0.12
"""Correlation of errors from which models are of one family, on average over both families.

Right or wrong is a coarse view of what two models share: 0.12 is found where about a third of what
sets models apart is common to a family."""


Errors = Callable[[Ints, NDArray[np.floating]], Floats]
"""From labels (n,) and what a metric is computed of (n, …) to how far each image is off, 0 to 1."""


def missed(labels: Ints, probabilities: NDArray[np.floating]) -> Floats:
    """1 where another class is likelier than the label."""
    return np.asarray(probabilities.argmax(axis=1) != labels, np.float64)


def families(
    labels: Ints, models: Sequence[NDArray[np.floating]], errors: Errors = missed
) -> NDArray[np.int64]:
    """Families by average linkage on the correlation of errors.

    What all models find hard is taken off first, or every pair would look related.

    Args:
        labels: int (n,), of the hold-out.
        models: Probabilities (n, classes) of each model, or what else a metric is computed of.
        errors: How far each image is off.

    Returns:
        int (models,), equal for relatives.
    """
    if len(models) < 2:
        return np.arange(len(models))
    off = np.stack([errors(labels, p) for p in models])
    off -= off.mean(axis=0)
    off -= off.mean(axis=1, keepdims=True)
    size = np.sqrt((off**2).sum(axis=1))
    size[size == 0] = 1.0
    correlation = np.clip(off @ off.T / np.outer(size, size), -1, 1)
    distance = scipy.spatial.distance.squareform(1 - correlation, checks=False)
    found = scipy.cluster.hierarchy.fcluster(
        scipy.cluster.hierarchy.linkage(distance, "average"), 1 - RELATED, "distance"
    )
    return np.asarray(found, dtype=np.int64)
