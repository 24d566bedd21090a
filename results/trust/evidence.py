"""Does validation follow the leaderboard at all? Evidence that may be looked at after every score.

People look after every submission and choose the next by what they saw, which no fixed-sample test
survives. An e-process does: it starts at 1, is not expected to grow if there is nothing to find,
and exceeds 20 with a chance of at most 5 %, ever (Ramdas, Grünwald, Vovk and Shafer, Game-theoretic
statistics and safe anytime-valid inference, Statistical Science, 2023).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

CONVINCING = 20.0
"""E at which chance is ruled out at 5 %."""

_RHO = np.array([0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98])


def evidence(validation: ArrayLike, leaderboard: ArrayLike) -> NDArray[np.float64]:
    """The e-process of sequential ranks.

    If the leaderboard's scores have nothing to do with validation, the rank of each new one among
    its predecessors is uniform, however the submission was chosen. Against that it bets on the
    rank that the submission's validation score lets expect under a Gaussian copula, in equal
    shares on several correlations. A tied score averages over the ranks it may take.

    Args:
        validation: Validation scores (n,) in the order of submission, larger is better.
        leaderboard: Leaderboard scores (n,).

    Returns:
        E after each submission, float (n,); the first is 1.
    """
    v, scores = np.asarray(validation, np.float64), np.asarray(leaderboard, np.float64)
    logs = np.zeros(len(_RHO))
    found = np.ones(len(v))
    for last in range(1, len(v)):
        n = last + 1
        rank = ((v[:last] < v[last]).sum() + (v[:last] <= v[last]).sum()) / 2 + 1
        centre = _RHO * norm.ppf((rank - 0.5) / n)
        edges = norm.ppf(np.arange(n + 1) / n)
        below = int((scores[:last] < scores[last]).sum())
        upto = int((scores[:last] <= scores[last]).sum())
        spread = np.sqrt(1 - _RHO**2)
        cells = norm.cdf((edges[upto + 1] - centre) / spread) - norm.cdf(
            (edges[below] - centre) / spread
        )
        share = cells / (upto - below + 1)
        logs += np.log(np.maximum(n * share, 1e-300))
        found[last] = np.exp(logs).mean()
    return found
