"""How unlike the test images are, and in what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from threadpoolctl import threadpool_limits

from trainables.audit.looks import PROPERTIES, Looks

COMPONENTS = 24
"""Principal components of the appearance beside the properties."""

FEWEST = 20
"""Readable images of either side without which nothing can be told."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Property:
    """One property on both sides.

    Attributes:
        name: One of `PROPERTIES`.
        auc: Chance that a test image has more of it than a training image.
        train: Median.
        test: Median.
    """

    name: str
    auc: float
    train: float
    test: float

    @property
    def apart(self) -> float:
        """How far it tells the sides apart, whichever has more of it; 0.5 is not at all."""
        return max(self.auc, 1 - self.auc)


@dataclass(frozen=True, kw_only=True, eq=False)
class Shift:
    """How far training and test images can be told apart.

    Attributes:
        auc: Area under the curve of a cross-fitted classifier; 0.5 is not at all.
        properties: The most telling first.
        likeness: float (n,), how much each image, training first, looks like a test image, told by
            a classifier that was not fitted on it; NaN where it cannot be read.
    """

    auc: float
    properties: tuple[Property, ...]
    likeness: NDArray[np.float64]


def measure_shift(looks: Looks) -> Shift | None:
    """Fits boosted trees on properties and appearance that tell test from training images.

    Args:
        looks: At all images.

    Returns:
        The shift; None with fewer than `FEWEST` readable images on either side.
    """
    rows = np.flatnonzero(looks.readable)
    is_test = ~looks.train[rows]
    if min(is_test.sum(), (~is_test).sum()) < FEWEST:
        return None
    measured = looks.table[list(PROPERTIES)].to_numpy(float)[rows]
    appearance = PCA(COMPONENTS, random_state=0).fit_transform(looks.appearance[rows])
    likeness = np.full(len(looks.appearance), np.nan)
    with threadpool_limits(1, "openmp"):  # on busy cores its threads wait for each other
        likeness[rows] = cross_val_predict(
            HistGradientBoostingClassifier(random_state=0),
            np.hstack([measured, appearance]),
            is_test,
            cv=StratifiedKFold(5, shuffle=True, random_state=0),
            method="predict_proba",
        )[:, 1]
    found = [
        Property(
            name=name,
            auc=float(roc_auc_score(is_test, values)),
            train=float(np.median(values[~is_test])),
            test=float(np.median(values[is_test])),
        )
        for name, values in zip(PROPERTIES, measured.T, strict=True)
    ]
    return Shift(
        auc=float(roc_auc_score(is_test, likeness[rows])),
        properties=tuple(sorted(found, key=lambda p: -p.apart)),
        likeness=likeness,
    )
