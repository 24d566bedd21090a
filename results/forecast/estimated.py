"""How accurate a model, or several that predict together, are on images without labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Estimated:
    """What the methods say.

    Attributes:
        id: Of the trial, promotion or blend.
        fold: The fold that it was not trained on; None of an ensemble of all of them.
        holdout: The metric on the images that it was not trained on; of an ensemble out of fold.
        test: What it predicts of the test images, (m, classes).
        likely: Probabilities (m, classes) of their labels; ``test`` where these are probabilities,
            which ranks and votes are not.
        each: How many of these rows belong to one image.
        accuracies: On the test images, by method.
        margin: Half of the 95 % interval of the accuracy on held-out images, which set the methods.
        agreement: Mean agreement with models of other configurations; NaN without one.
        models: How many trainings it is made of.
    """

    id: str
    fold: int | None
    holdout: float
    test: NDArray[np.floating]
    likely: NDArray[np.floating]
    each: int
    accuracies: Mapping[str, float]
    margin: float
    agreement: float = float("nan")
    models: int = 1
