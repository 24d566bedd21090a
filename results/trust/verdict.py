"""The verdict on validation: what follows from evidence, public scores and regret."""

from __future__ import annotations

from typing import Literal

import numpy as np
import scipy
from numpy.typing import NDArray

from results.trust.evidence import CONVINCING

TRUSTED_CHANCE = 0.1
"""Largest chance of a regret above the limit at which validation is trusted."""

REFUSED_CHANCE = 0.5
"""Chance of such a regret above which it is not."""

FEWEST = 5
"""Scored submissions in the band below which no verdict is given."""

ALIKE = 0.05
"""p-value of equal public scores above which nothing tells trials apart."""

Verdict = Literal["trusted", "indistinguishable", "not trusted", "not enough evidence"]


def give_verdict(
    public: NDArray[np.float64], error: float, evidence: float, chance: float
) -> Verdict:
    """Whether validation is to be trusted.

    Args:
        public: Public scores of the band's trials in points, float (n,).
        error: Their standard error in points.
        evidence: E after the last score.
        chance: Of a regret above the limit.
    """
    if len(public) < FEWEST:
        return "not enough evidence"
    if homogeneity(public, error) > ALIKE:
        return "indistinguishable"
    if evidence >= CONVINCING and chance <= TRUSTED_CHANCE:
        return "trusted"
    return "not trusted" if chance > REFUSED_CHANCE else "not enough evidence"


def homogeneity(public: NDArray[np.float64], error: float) -> float:
    """p-value of Cochran's test that scores (n,) differ by noise of a known size only."""
    if len(public) < 2:
        return float("nan")
    spread = float(((public - public.mean()) ** 2).sum()) / error**2
    return float(scipy.stats.chi2.sf(spread, len(public) - 1))
