"""Weights of hold-out images that make up for how much test images differ from them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from spaces.errors import InputError
from spaces.files import write_whole

Floats = NDArray[np.float64]

FOLDS = 5
COMPONENTS = 128
"""Features above which principal components stand for them."""

CLIP = 10.0
"""Largest weight, in units of the mean: a few images must not decide."""

FEWEST, SMALLEST_SHARE = 100, 0.1
"""Effective images, and their share of the hold-out, below which weights are refused."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageWeights:
    """How much each hold-out image counts towards the test.

    Attributes:
        auc: Of the classifier that tells them apart, cross-fitted; 0.5 means that they are alike.
        weights: Of each hold-out image, float (n,) with mean 1.
        effective: Kish's effective number of hold-out images under these weights.
    """

    auc: float
    weights: Floats
    effective: float

    def write(self, path: Path) -> None:
        """Writes it as JSON."""
        body = {"auc": self.auc, "effective": self.effective, "weights": self.weights.tolist()}
        write_whole(json.dumps(body), path)

    @staticmethod
    def read(path: Path) -> ImageWeights:
        """Reads what `write` wrote.

        Raises:
            InputError: If the file is missing or damaged.
        """
        try:
            data = json.loads(path.read_text())
            return ImageWeights(
                auc=float(data["auc"]),
                effective=float(data["effective"]),
                weights=np.array(data["weights"], np.float64),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} does not hold weights: {error}") from error

    @property
    def refusal(self) -> str:
        """Why the weights must not be used; empty if they may."""
        wanted = max(FEWEST, SMALLEST_SHARE * len(self.weights))
        if self.effective >= wanted:
            return ""
        return (
            f"{self.effective:.0f} effective images of {len(self.weights):,}, at least "
            f"{wanted:.0f} are needed"
        )


def weigh_images(
    holdout: NDArray[np.floating],
    test: NDArray[np.floating],
    groups: NDArray[np.str_] | None = None,
) -> ImageWeights:
    """Weights of hold-out images by how much more frequent their like is in the test set.

    Boosted trees tell the two sets apart (embeddings cluster by class, so that a linear classifier
    sees little of what differs within the classes); whole groups are left out in turn, so that no
    image is judged by a classifier that knew one of its burst. The weight is the odds of being a
    test image, calibrated (Platt) and clipped at `CLIP` times the mean (Sugiyama, Suzuki and
    Kanamori, Density Ratio Estimation in Machine Learning, 2012, chapter 4).

    Args:
        holdout: Embeddings, float (n, features).
        test: Embeddings, float (m, features).
        groups: str (n,), of the hold-out; None if every image is one of its own.

    Raises:
        InputError: If there are fewer groups than folds.
    """
    n, m = len(holdout), len(test)
    own = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    if len(np.unique(own)) < FOLDS or m < FOLDS:
        raise InputError(f"weights towards the test need {FOLDS} groups on either side")
    units = np.concatenate([own, own.max() + 1 + np.arange(m)])
    rows = np.concatenate([holdout, test]).astype(np.float64)
    is_test = np.concatenate([np.zeros(n, np.int64), np.ones(m, np.int64)])
    steps: list[Any] = [StandardScaler()]
    if rows.shape[1] > COMPONENTS:
        steps.append(PCA(min(COMPONENTS, min(n, m) // FOLDS), random_state=0))
    trees = HistGradientBoostingClassifier(
        max_iter=200, learning_rate=0.05, max_leaf_nodes=8, random_state=0
    )
    model = make_pipeline(*steps, trees)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    with threadpool_limits(1, "openmp"):  # on busy cores its threads wait for each other
        chance = cross_val_predict(
            model, rows, is_test, groups=units, cv=folds, method="predict_proba"
        )[:, 1]
    auc = float(roc_auc_score(is_test, chance))
    # Trees are too sure of themselves; what they say of images they did not see is calibrated.
    logits = scipy.special.logit(np.clip(chance, 1e-6, 1 - 1e-6))[:, None]
    calibrated = LogisticRegression(C=np.inf).fit(logits, is_test)
    odds = np.exp(calibrated.decision_function(logits[:n]))
    weights = np.minimum(odds / odds.mean(), CLIP)
    weights = weights / weights.mean()
    return ImageWeights(
        auc=auc,
        weights=weights,
        effective=float(weights.sum() ** 2 / (weights**2).sum()),
    )
