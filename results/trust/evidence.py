"""Does validation follow the leaderboard at all? Evidence that may be looked at after every score.

People look after every submission and choose the next by what they saw, which no fixed-sample test
survives. An e-process does: it starts at 1, is not expected to grow if there is nothing to find,
and exceeds 20 with a chance of at most 5 %, ever (Ramdas, Grünwald, Vovk and Shafer, Game-theoretic
statistics and safe anytime-valid inference, Statistical Science, 2023).
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

CONVINCING = 20.0
"""E at which chance is ruled out at 5 %."""

_RHO = np.array([0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98])


def evidence(
    validation: ArrayLike, leaderboard: ArrayLike, families: ArrayLike | None = None
) -> NDArray[np.float64]:
    """The e-process of sequential ranks.

    If the leaderboard's scores have nothing to do with validation, the rank of each new one among
    its predecessors is uniform, however the submission was chosen. Against that it bets on the
    rank that the submission's validation score lets expect under a Gaussian copula, in equal
    shares on several correlations. A tied score averages over the ranks it may take.

    Relatives share their luck: three variants of one model are not three witnesses. A submission
    is therefore ranked among the earlier ones of its own family; the first of a family among the
    firsts of the others.

    Args:
        validation: Validation scores (n,) in the order of submission, larger is better.
        leaderboard: Leaderboard scores (n,).
        families: What each is a relative of, int (n,); None if nothing is related.

    Returns:
        E after each submission, float (n,); the first is 1.
    """
    v, scores = np.asarray(validation, np.float64), np.asarray(leaderboard, np.float64)
    family = np.arange(len(v)) if families is None else np.asarray(families)
    first = np.array([f not in family[:i] for i, f in enumerate(family)], dtype=bool)
    logs = np.zeros(len(_RHO))
    found = np.ones(len(v))
    for last in range(1, len(v)):
        peers = np.flatnonzero(first[:last] if first[last] else family[:last] == family[last])
        before, known = v[peers], scores[peers]
        n = len(peers) + 1
        rank = ((before < v[last]).sum() + (before <= v[last]).sum()) / 2 + 1
        centre = _RHO * scipy.special.ndtri((rank - 0.5) / n)
        edges = scipy.special.ndtri(np.arange(n + 1) / n)
        below = int((known < scores[last]).sum())
        upto = int((known <= scores[last]).sum())
        spread = np.sqrt(1 - _RHO**2)
        cells = scipy.special.ndtr((edges[upto + 1] - centre) / spread) - scipy.special.ndtr(
            (edges[below] - centre) / spread
        )
        share = cells / (upto - below + 1)
        logs += np.log(np.maximum(n * share, 1e-300))
        found[last] = np.exp(logs).mean()
    return found
