"""Which way of scoring the hold-out follows the leaderboard, judged on the same submissions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from results.stats.correlation import kendall_interval
from results.stats.interval import Interval
from results.trust.evidence import evidence
from results.trust.witnesses import Witnesses

FEWEST = 8
"""Submissions below which no advantage is claimed."""

LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A validation score in the tournament.

    Attributes:
        name: Of the validation.
        tau: Kendall's tau-b with the public scores, over all scored trials.
        band_tau: The same in the competitive band.
        advantage: By how much more of the pairs of trials it puts in the leaderboard's order than
            the plain score does, as a difference of taus, with interval; None for the plain one.
        evidence: E after the last score.
    """

    name: str
    tau: Interval
    band_tau: Interval
    advantage: Interval | None
    evidence: float


def tournament(
    validation: Mapping[str, NDArray[np.float64]],
    witnesses: Witnesses,
    band: NDArray[np.bool_],
    rivals: int = 0,
    ranked: NDArray[np.bool_] | None = None,
) -> list[Contender]:
    """Compares validation scores with the public ones.

    Args:
        validation: Scores (n,) by name, in the order of submission, larger is better; the first
            is the plain one.
        witnesses: The scored submissions, (n,).
        band: Which of them are in the competitive band, (n,).
        rivals: How many are compared with the plain one in all; those of ``validation``, if 0.
        ranked: Which of the submissions others than the plain one are to rank, (n,), by which
            their advantage is judged; all of them, if None.
    """
    plain, *others = validation
    rivals = rivals or len(others)
    public, counted = witnesses.public, witnesses.counted
    judged = np.ones(len(public), dtype=bool) if ranked is None else ranked
    found = []
    for name, scores in validation.items():
        advantage = None
        if name != plain:
            both = scores[judged], validation[plain][judged]
            advantage = paired_advantage(*both, public[judged], 1 - (1 - LEVEL) / rivals)
        grown = evidence(scores[counted], public[counted], witnesses.family[counted])
        found.append(
            Contender(
                name=name,
                tau=kendall_interval(scores, public),
                band_tau=kendall_interval(scores[band], public[band]),
                advantage=advantage,
                evidence=float(grown[-1]) if len(grown) else 1.0,
            )
        )
    return found


def choose(contenders: Sequence[Contender]) -> str:
    """The plain score, unless the advantage of another is surely above 0."""
    ahead = [c for c in contenders if c.advantage is not None and c.advantage.low > 0]
    if not ahead:
        return contenders[0].name
    return max(ahead, key=lambda c: c.advantage.low if c.advantage else 0.0).name


def average_evidence(contenders: Sequence[Contender]) -> float:
    """The mean of several E is one again; the largest of them is not."""
    return float(np.mean([c.evidence for c in contenders]))


def paired_advantage(
    scores: ArrayLike, plain: ArrayLike, public: ArrayLike, level: float = LEVEL
) -> Interval:
    """How much larger the rank correlation of ``scores`` with ``public`` is than that of ``plain``.

    A mean over pairs of trials, with the jackknife's standard error over trials and Student's t
    (Arvesen, Jackknifing U-statistics, Annals of Mathematical Statistics 40, 1969). With fewer
    than `FEWEST` trials the interval is the whole range.

    Args:
        scores: (n,).
        plain: (n,).
        public: (n,).
        level: Of the interval.
    """
    a, b, p = (np.asarray(x, np.float64) for x in (scores, plain, public))
    n = len(p)
    if n < 2:
        return Interval(value=float("nan"), low=-2.0, high=2.0)

    def order(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sign(x[:, None] - x[None, :])

    ahead = (order(a) - order(b)) * order(p)
    total = ahead.sum()
    value = float(total / (n * (n - 1)))
    if n < FEWEST:
        return Interval(value=value, low=-2.0, high=2.0)
    without = (total - 2 * ahead.sum(axis=1)) / ((n - 1) * (n - 2))
    error = float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
    half = float(scipy.stats.t.ppf((1 + level) / 2, n - 1)) * error
    return Interval(value=value, low=value - half, high=value + half)
