"""Does validation tell the good models apart as the leaderboard does? Figures and a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from results.bootstrap import bootstrap_weights
from results.correlation import Interval, kendall_interval
from results.evidence import CONVINCING, evidence
from results.metrics import Ints, Metric
from results.regret import Regret, expected_regret

BAND_POINTS = 3.0
BAND_ERRORS = 3.0
REGRET_LIMIT = 0.5
"""Points of regret that would matter."""

TRUSTED_CHANCE = 0.1
"""Largest chance of a regret above the limit at which validation is trusted."""

FEWEST = 5
"""Scored submissions in the band below which no verdict is given."""

LOOKED_AT = 200
"""Candidates, best first, among which the band is sought."""

_DRAWS = 200

Verdict = Literal["trusted", "indistinguishable", "not trusted", "not enough evidence"]


@dataclass(frozen=True, kw_only=True)
class Validated:
    """A finished trial with its hold-out predictions.

    Attributes:
        id: Trial id.
        probabilities: float (n, classes), on the hold-out.
    """

    id: str
    probabilities: NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class Score:
    """A public score.

    Attributes:
        trial: Trial id.
        value: The score as the leaderboard shows it.
        images: Images behind it.
    """

    trial: str
    value: float
    images: int


@dataclass(frozen=True, kw_only=True)
class Trust:
    """What the scored submissions say of validation. Scores are in points, larger is better.

    Attributes:
        band: Ids of the competitive band, best first.
        validation: Validation score of every candidate looked at and of every scored trial.
        public: Public score of every scored trial.
        scored: Ids of scored trials in the order of their scores.
        error: Standard error per trial, of what trials do not share, on the hold-out.
        public_error: The same on the public test images, scaled by their number and by how hard
            they are.
        tau: Kendall's tau-b over all scored trials.
        band_tau: The same in the band.
        spearman: Over all scored trials.
        pearson: Over all scored trials.
        slope: Public points per validation point.
        offset: Public minus validation, in points, on average.
        evidence: E after the last score.
        ceiling: Tau in the band that sampling noise alone would allow.
        homogeneity: p-value of the band's public scores being equal but for sampling noise.
        regret: Of promoting the validation-best of the band.
        verdict: What follows.
        following: Trial of the band to submit next; empty if all are scored.
        predicted: Public score expected of it, with interval; None if there is none.
    """

    band: tuple[str, ...]
    validation: Mapping[str, float]
    public: Mapping[str, float]
    scored: tuple[str, ...]
    error: float
    public_error: float
    tau: Interval
    band_tau: Interval
    spearman: float
    pearson: float
    slope: float
    offset: float
    evidence: float
    ceiling: float
    homogeneity: float
    regret: Regret
    verdict: Verdict
    following: str
    predicted: Interval | None


def competitive_band(
    metric: Metric,
    labels: Ints,
    candidates: Sequence[Validated],
    groups: NDArray[np.str_] | None = None,
) -> tuple[list[Validated], float]:
    """The trials within max(3 paired standard errors, 3 points) of the best.

    Args:
        metric: The contest's metric.
        labels: int (n,), of the hold-out.
        candidates: Best first.
        groups: str (n,), or None.

    Returns:
        The band, best first, and the standard error, in points, of what its trials do not share.
    """
    looked = list(candidates[:LOOKED_AT])
    sign = 1.0 if metric.direction == "maximize" else -1.0
    weights = bootstrap_weights(len(labels), _DRAWS, groups)
    every = np.vstack([np.ones((1, len(labels))), weights])
    scores = (
        np.stack(
            [
                sign * metric.weighted(labels, c.probabilities.astype(np.float64), every)
                for c in looked
            ]
        )
        / metric.points
    )
    gap = scores[0, 0] - scores[:, 0]
    paired = np.nanstd(scores[0, 1:] - scores[:, 1:], axis=1)
    inside = gap <= np.maximum(BAND_ERRORS * paired, BAND_POINTS)
    band = [c for c, keep in zip(looked, inside, strict=True) if keep]
    if len(band) < 2:
        return band, float(np.nanstd(scores[0, 1:]))
    own = scores[inside][:, 1:]
    own = own - own.mean(axis=0)
    error = float(np.sqrt(np.nanvar(own, axis=1).mean() * len(band) / (len(band) - 1)))
    return band, max(error, 1e-3)


def assess(
    metric: Metric,
    labels: Ints,
    candidates: Sequence[Validated],
    scores: Sequence[Score],
    groups: NDArray[np.str_] | None = None,
) -> Trust:
    """Weighs the evidence.

    Args:
        metric: The contest's metric.
        labels: int (n,), of the hold-out.
        candidates: Finished trials, best first.
        scores: Public scores of some of them, in the order in which they came.
        groups: str (n,), or None; whole groups are resampled.
    """
    sign = 1.0 if metric.direction == "maximize" else -1.0
    band, error = competitive_band(metric, labels, candidates, groups)
    scored = [s for s in scores if any(c.id == s.trial for c in candidates)]
    needed = {c.id for c in band} | {s.trial for s in scored}
    validation = {
        c.id: sign * metric.score(labels, c.probabilities) / metric.points
        for c in candidates
        if c.id in needed
    }
    public = {s.trial: sign * s.value / metric.points for s in scored}
    images = float(np.median([s.images for s in scored])) if scored else float(len(labels))
    public_error = error * (len(labels) / images) ** 0.5 * _harder(metric, validation, public)
    order = [s.trial for s in scored]
    v = np.array([validation[i] for i in order])
    p = np.array([public[i] for i in order])
    in_band = np.array([i in {c.id for c in band} for i in order], dtype=bool)
    names = [c.id for c in band]
    regret = expected_regret(
        [validation[i] for i in names],
        np.full(len(names), error),
        [public.get(i, np.nan) for i in names],
        np.full(len(names), public_error),
        REGRET_LIMIT,
    )
    grown = float(evidence(v, p)[-1]) if len(v) else 1.0
    homogeneity = _homogeneity(p[in_band], public_error)
    varied = len(v) >= 3 and np.ptp(v) > 0 and np.ptp(p) > 0
    line = stats.linregress(v, p) if varied else None
    following = ""
    if len(public) and any(i not in public for i in names):
        following = names[
            int(
                np.argmax(
                    [-1.0 if i in public else w for i, w in zip(names, regret.worth, strict=True)]
                )
            )
        ]
    elif names and names[0] not in public:
        following = names[0]
    return Trust(
        band=tuple(names),
        validation=validation,
        public=public,
        scored=tuple(order),
        error=error,
        public_error=public_error,
        tau=kendall_interval(v, p),
        band_tau=kendall_interval(v[in_band], p[in_band]),
        spearman=float(stats.spearmanr(v, p).statistic) if varied else float("nan"),
        pearson=float(line.rvalue) if line else float("nan"),
        slope=float(line.slope) if line else float("nan"),
        offset=float((p - v).mean()) if len(v) else float("nan"),
        evidence=grown,
        ceiling=_ceiling(regret.spread, error, public_error),
        homogeneity=homogeneity,
        regret=regret,
        verdict=_verdict(int(in_band.sum()), grown, homogeneity, regret),
        following=following,
        predicted=_predict(names, following, regret, public_error) if len(public) else None,
    )


def _harder(metric: Metric, validation: Mapping[str, float], public: Mapping[str, float]) -> float:
    """How much larger the noise per image is on the leaderboard, for a metric from 0 to 1.

    An image that is right or wrong has the variance p (1 - p): a model at 60 % is measured less
    precisely than one at 90 %.
    """
    if metric.direction == "minimize" or not public:
        return 1.0
    here = float(np.median([validation[i] for i in public])) * metric.points
    there = float(np.median(list(public.values()))) * metric.points
    if not (0 < here < 1 and 0 < there < 1):
        return 1.0
    return float(np.clip((there * (1 - there) / (here * (1 - here))) ** 0.5, 0.5, 3.0))


def _verdict(count: int, grown: float, homogeneity: float, regret: Regret) -> Verdict:
    if count < FEWEST:
        return "not enough evidence"
    if homogeneity > 0.05:
        return "indistinguishable"
    if grown >= CONVINCING and regret.chance <= TRUSTED_CHANCE:
        return "trusted"
    return "not trusted" if regret.chance > 0.5 else "not enough evidence"


def _homogeneity(public: NDArray[np.float64], error: float) -> float:
    """p-value of Cochran's test that scores differ by sampling noise of a known size only."""
    if len(public) < 2:
        return float("nan")
    spread = float(((public - public.mean()) ** 2).sum()) / error**2
    return float(stats.chi2.sf(spread, len(public) - 1))


def _ceiling(spread: float, error: float, public_error: float) -> float:
    """Expected tau if both skills were one and only sampling noise stood between the scores."""
    shared = spread**2 / np.sqrt((spread**2 + error**2) * (spread**2 + public_error**2))
    return float(2 / np.pi * np.arcsin(shared))


def _predict(
    names: Sequence[str], following: str, regret: Regret, public_error: float
) -> Interval | None:
    if not following:
        return None
    i = list(names).index(following)
    half = 1.96 * float(np.hypot(regret.skill_error[i], public_error))
    centre = float(regret.skill[i])
    return Interval(value=centre, low=centre - half, high=centre + half)
