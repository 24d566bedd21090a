"""How two scores of the same things go together, beyond their order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Line:
    """Scores against others, as a line; NaN where nothing can be said.

    Attributes:
        spearman: Correlation of their ranks.
        pearson: Correlation.
        slope: Of the second per one of the first.
        offset: The second minus the first, on average.
    """

    spearman: float
    pearson: float
    slope: float
    offset: float

    @staticmethod
    def of(first: NDArray[np.float64], second: NDArray[np.float64]) -> Line:
        """The line through pairs of scores, (n,), of which there are three that vary."""
        offset = float((second - first).mean()) if len(first) else float("nan")
        if not (len(first) >= 3 and np.ptp(first) > 0 and np.ptp(second) > 0):
            nan = float("nan")
            return Line(spearman=nan, pearson=nan, slope=nan, offset=offset)
        line = scipy.stats.linregress(first, second)
        return Line(
            spearman=float(scipy.stats.spearmanr(first, second).statistic),
            pearson=float(line.rvalue),
            slope=float(line.slope),
            offset=offset,
        )
