"""How unlike the test images are, and in what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from trainables.audit.looks import PROPERTIES, Looks

COMPONENTS = 24
"""Principal components of the appearance beside the properties."""

MOST = 6000
"""Images of either side that are looked at."""


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
        rows: int (k,), the images that were looked at.
        likeness: float (k,), how much each looks like a test image, told by a classifier that was
            not fitted on it.
    """

    auc: float
    properties: tuple[Property, ...]
    rows: NDArray[np.int64]
    likeness: NDArray[np.float64]


def measure_shift(looks: Looks) -> Shift | None:
    """Fits boosted trees on properties and appearance that tell test from training images.

    Args:
        looks: At all images.

    Returns:
        The shift; None with fewer than 20 readable images on either side.
    """
    rng = np.random.default_rng(0)
    sides = []
    for side in (looks.train, ~looks.train):
        rows = np.flatnonzero(side & looks.readable)
        if len(rows) < 20:
            return None
        sides.append(np.sort(rng.permutation(rows)[:MOST]))
    rows = np.concatenate(sides)
    is_test = np.repeat([0, 1], [len(side) for side in sides])
    measured = looks.table[list(PROPERTIES)].to_numpy(float)[rows]
    appearance = PCA(COMPONENTS, random_state=0).fit_transform(looks.appearance[rows])
    likeness = cross_val_predict(
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
            train=float(np.median(values[is_test == 0])),
            test=float(np.median(values[is_test == 1])),
        )
        for name, values in zip(PROPERTIES, measured.T, strict=True)
    ]
    return Shift(
        auc=float(roc_auc_score(is_test, likeness)),
        properties=tuple(sorted(found, key=lambda p: -p.apart)),
        rows=rows,
        likeness=likeness,
    )
