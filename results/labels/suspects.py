"""Labels that are probably wrong, found by confident learning on out-of-fold predictions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from cleanlab.count import estimate_joint
from numpy.typing import NDArray

from results.metrics import Ints


@dataclass(frozen=True, kw_only=True, eq=False)
class Suspects:
    """Images whose label is probably wrong, the most suspicious first.

    Attributes:
        rows: int64 (n,), of the predictions.
        proposed: int64 (n,), the class that models take each for.
        sureness: float64 (n,), the probability of that class.
        score: float64 (n,), the probability of the label: the smaller, the more suspicious.
    """

    rows: Ints
    proposed: Ints
    sureness: NDArray[np.float64]
    score: NDArray[np.float64]

    def of_rows(self, rows: Ints) -> Suspects:
        """The same, where the predictions were those of some rows of a table, int64 (n,)."""
        return replace(self, rows=rows[self.rows])

    def only(self, kept: NDArray[np.bool_]) -> Suspects:
        """Some of them, (n,)."""
        return Suspects(
            rows=self.rows[kept],
            proposed=self.proposed[kept],
            sureness=self.sureness[kept],
            score=self.score[kept],
        )


def find_suspects(labels: Ints, probabilities: NDArray[np.floating]) -> Suspects:
    """Estimates how many labels are wrong, and names that many of the least likely.

    Confident learning (Northcutt, Jiang and Chuang, JAIR 70, 2021) estimates the number: a class is
    predicted with confidence where its probability is above the mean over images of its label, so
    that classes that models are seldom sure of need less. Images whose label is the class that is
    predicted for them are no suspects, however unlikely it is.

    Args:
        labels: int (n,), as they are given.
        probabilities: float (n, classes), by models that did not see the image.
    """
    shares = probabilities.astype(np.float64)
    shares /= shares.sum(axis=1, keepdims=True)
    wrong = round(len(labels) * (1 - float(np.trace(estimate_joint(labels, shares)))))
    likely = shares[np.arange(len(labels)), labels]
    proposed = shares.argmax(axis=1)
    order = np.argsort(likely, kind="stable")
    rows = order[proposed[order] != labels[order]][:wrong].astype(np.int64)
    return Suspects(
        rows=rows,
        proposed=proposed[rows],
        sureness=shares[rows, proposed[rows]],
        score=likely[rows],
    )
