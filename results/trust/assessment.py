"""Does validation tell the good models apart as the leaderboard does? Figures and a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import scipy
from numpy.typing import NDArray

from results.metrics import Ints, Metric
from results.stats.interval import Interval
from results.trust.band import LEAST_ERROR, BandRule, Validated, competitive_band
from results.trust.evidence import CONVINCING
from results.trust.families import Errors, families, missed
from results.trust.outlook import submissions_to_settle
from results.trust.regret import Regret, expected_regret
from results.trust.tournament import Contender, average_evidence, choose, tournament
from results.trust.trust import REGRET_LIMIT, SHOWN, Score, Trust, Verdict
from results.trust.unlabelled import Unlabelled
from results.trust.validation import PLAIN, Validation

TRUSTED_CHANCE = 0.1
"""Largest chance of a regret above the limit at which validation is trusted."""

REFUSED_CHANCE = 0.5
"""Chance of such a regret above which it is not."""

FEWEST = 5
"""Scored submissions in the band below which no verdict is given."""


def assess(
    metric: Metric,
    labels: Ints,
    candidates: Sequence[Validated],
    scores: Sequence[Score],
    groups: NDArray[np.str_] | None = None,
    *,
    rule: BandRule | None = None,
    validations: Sequence[Validation] = (PLAIN,),
    unlabelled: Sequence[Unlabelled] = (),
    frozen: str = "",
    watched: Mapping[str, Mapping[str, float]] | None = None,
    errors: Errors = missed,
) -> Trust:
    """Weighs the evidence.

    Args:
        metric: The contest's metric.
        labels: int (n,), of the hold-out.
        candidates: Finished trials.
        scores: Public scores of some of them, in the order in which they came.
        groups: str (n,), or None; whole groups are resampled.
        rule: What makes a trial competitive.
        validations: Scores on the hold-out that compete, the plain one first.
        unlabelled: Scores on unlabelled test images that compete, by how they rank the trials that
            compete on the hold-out.
        frozen: Name of the one that was trusted before, which no tournament replaces.
        watched: Scores by name and trial, larger is better, that are compared with the leaderboard
            and, since not all have them, never in force.
        errors: How far predictions of each image are off, which tells relatives.
    """
    sign = metric.sign
    known = {c.id: c for c in candidates}
    scored = [s for s in scores if s.trial in known]
    order = [s.trial for s in scored]
    counted = np.array([not s.broken for s in scored], dtype=bool)
    p = np.array([sign * s.value / metric.points for s in scored])
    public = dict(zip(order, p.tolist(), strict=True))

    def points(validation: Validation, names: Sequence[str]) -> NDArray[np.float64]:
        by = validation.of(metric)
        found = [sign * by.score(labels, validation.seen(known[i])) for i in names]
        return np.array(found) / metric.points

    def competing(validation: Validation) -> tuple[dict[str, float], list[str], float]:
        """Scores of all, the band, best first, and its standard error."""
        own = dict(zip(known, points(validation, list(known)).tolist(), strict=True))
        seen = [
            Validated(id=c.id, probabilities=validation.seen(c))
            for c in sorted(candidates, key=lambda c: -own[c.id])
        ]
        band, error = competitive_band(validation.of(metric), labels, seen, groups, rule)
        return own, [c.id for c in band], error

    every: dict[str, NDArray[np.float64]] = {v.name: points(v, order) for v in validations}
    related = families(labels, [c.probabilities for c in candidates], errors)
    family = dict(zip(known, related.tolist(), strict=True))
    families_scored = np.array([family[i] for i in order], dtype=np.int64)
    own, names, error = competing(PLAIN)
    near = np.array([i in set(names) for i in order], dtype=bool)
    told = {u.name: u for u in unlabelled}
    beside = watched or {}
    rivals = len(validations) - 1 + len(told) + len(beside)

    def compare(name: str, of: Mapping[str, float], inside: NDArray[np.bool_]) -> Contender:
        """One that is no function of the hold-out, on the trials that have it."""
        rows = np.array([i in of for i in order], dtype=bool)
        both = {
            PLAIN.name: every[PLAIN.name][rows],
            name: np.array([of[i] for i in order if i in of]),
        }
        witnesses = inside[rows], counted[rows], families_scored[rows]
        ranked = near[rows] if name in told else None
        _, found = tournament(both, p[rows], *witnesses, rivals, ranked)
        return found

    def judge(inside: NDArray[np.bool_]) -> list[Contender]:
        held = tournament(every, p, inside, counted, families_scored, rivals)
        return held + [compare(u.name, u.values, inside) for u in told.values()]

    chosen = frozen or choose(judge(near))
    if chosen in told:
        own = told[chosen].points(own, names)
        names.sort(key=lambda i: -own[i])
    elif chosen != PLAIN.name:
        own, names, error = competing(next(v for v in validations if v.name == chosen))
    inside = np.array([i in set(names) for i in order], dtype=bool)
    contenders = judge(inside)
    seen_beside = tuple(compare(name, of, inside) for name, of in beside.items())
    leaders = {
        c.name: tuple(
            sorted(beside[c.name].keys() & set(names), key=lambda i: (-beside[c.name][i], i))
        )[:SHOWN]
        for c in seen_beside
        if c.advantage is not None and c.advantage.low > 0
    }
    wanted = sorted(set(names) | set(order), key=lambda i: -own[i])
    validation = {i: own[i] for i in wanted}
    images = float(np.median([s.images for s in scored])) if scored else float(len(labels))
    public_error = error * (len(labels) / images) ** 0.5 * _harder(metric, validation, public)
    v = np.array([own[i] for i in order])
    in_band = [public[i] for i in names if i in public]
    # What unlabelled images say is taken as it is: its noise is in how little it tells of skill.
    own_error = LEAST_ERROR if chosen in told else error
    regret = expected_regret(
        [validation[i] for i in names],
        np.full(len(names), own_error),
        [public.get(i, np.nan) for i in names],
        np.full(len(names), public_error),
        REGRET_LIMIT,
    )
    grown = average_evidence(contenders)
    homogeneity = _homogeneity(np.array(in_band), public_error)
    verdict = _verdict(len(in_band), grown, homogeneity, regret.chance)
    varied = len(v) >= 3 and np.ptp(v) > 0 and np.ptp(p) > 0
    line = scipy.stats.linregress(v, p) if varied else None
    following = _following(names, public, regret)
    to_settle = None
    if verdict == "not enough evidence" and len(public):
        to_settle = submissions_to_settle(
            regret,
            [validation[i] for i in names],
            [public.get(i, np.nan) for i in names],
            public_error,
            (v[counted], p[counted], families_scored[counted]),
            [family[i] for i in names],
            lambda scores, chance, e: (
                _verdict(len(scores), e, _homogeneity(scores, public_error), chance)
                != "not enough evidence"
            ),
            limit=REGRET_LIMIT,
        )
    return Trust(
        band=tuple(names),
        chosen=chosen,
        contenders=tuple(contenders),
        unlabelled=told,
        watched=seen_beside,
        leaders=leaders,
        validation=validation,
        scores={n: dict(zip(order, x.tolist(), strict=True)) for n, x in every.items()},
        public=public,
        scored=tuple(order),
        error=error,
        public_error=public_error,
        spearman=float(scipy.stats.spearmanr(v, p).statistic) if varied else float("nan"),
        pearson=float(line.rvalue) if line else float("nan"),
        slope=float(line.slope) if line else float("nan"),
        offset=float((p - v).mean()) if len(v) else float("nan"),
        evidence=grown,
        counted=int(counted.sum()),
        ceiling=_ceiling(regret.spread, own_error, public_error),
        homogeneity=homogeneity,
        regret=regret,
        verdict=verdict,
        following=following,
        predicted=_predict(names, following, regret, public_error) if len(public) else None,
        to_settle=to_settle,
        flattery=_flattery(names, public, regret),
    )


def _following(names: Sequence[str], public: Mapping[str, float], regret: Regret) -> str:
    """The trial of the band whose score is worth most; before any score, the best."""
    waiting = [i for i in names if i not in public]
    if not waiting:
        return ""
    if not public:
        return waiting[0]
    worth = dict(zip(names, regret.worth, strict=True))
    return max(waiting, key=lambda i: worth[i])


def _flattery(names: Sequence[str], public: Mapping[str, float], regret: Regret) -> float:
    """What the best public score of the band owes to having been the best of several."""
    scored = [(public[i], k) for k, i in enumerate(names) if i in public]
    if not scored:
        return float("nan")
    value, k = max(scored)
    return value - float(regret.skill[k])


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


def _verdict(count: int, grown: float, homogeneity: float, chance: float) -> Verdict:
    if count < FEWEST:
        return "not enough evidence"
    if homogeneity > 0.05:
        return "indistinguishable"
    if grown >= CONVINCING and chance <= TRUSTED_CHANCE:
        return "trusted"
    return "not trusted" if chance > REFUSED_CHANCE else "not enough evidence"


def _homogeneity(public: NDArray[np.float64], error: float) -> float:
    """p-value of Cochran's test that scores differ by sampling noise of a known size only."""
    if len(public) < 2:
        return float("nan")
    spread = float(((public - public.mean()) ** 2).sum()) / error**2
    return float(scipy.stats.chi2.sf(spread, len(public) - 1))


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
