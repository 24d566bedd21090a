"""Does validation tell the good models apart as the leaderboard does? Figures and a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from results.metrics import Ints, Metric
from results.stats.line import Line
from results.trust.band import BandRule, Validated
from results.trust.families import Errors, families, missed
from results.trust.field import Field
from results.trust.outlook import submissions_to_settle
from results.trust.ranking import Holdout, Ranking
from results.trust.regret import expected_regret
from results.trust.tournament import average_evidence, choose
from results.trust.trust import REGRET_LIMIT, Trust
from results.trust.unlabelled import Unlabelled
from results.trust.validation import PLAIN, Validation
from results.trust.verdict import give_verdict, homogeneity
from results.trust.witnesses import Score, Witnesses


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
    known = {c.id: c for c in candidates}
    related = families(labels, [c.probabilities for c in candidates], errors)
    family = dict(zip(known, related.tolist(), strict=True))
    holdout = Holdout(metric=metric, labels=labels, trials=known, groups=groups, rule=rule)
    witnesses = Witnesses.of(scores, metric, family)
    plain = holdout.ranking(PLAIN)
    field = Field(
        witnesses=witnesses,
        competing=witnesses.among(plain.band),
        validated={v.name: holdout.points(v, witnesses.trials) for v in validations},
        unlabelled={u.name: u for u in unlabelled},
        watched=watched or {},
    )
    chosen = frozen or choose(field.contenders(field.competing))
    ranking = plain
    if chosen in field.unlabelled:
        ranking = plain.ranked_by(field.unlabelled[chosen])
    elif chosen != PLAIN.name:
        ranking = holdout.ranking(next(v for v in validations if v.name == chosen))
    inside = witnesses.among(ranking.band)
    contenders, beside = field.contenders(inside), field.beside(inside)

    public, count = witnesses.points, len(ranking.band)
    public_error = _public_error(holdout, ranking, witnesses)
    seen = witnesses.public_of(ranking.band)
    regret = expected_regret(
        ranking.of(ranking.band),
        np.full(count, ranking.own_error),
        seen,
        np.full(count, public_error),
        REGRET_LIMIT,
    )
    grown = average_evidence(contenders)
    in_band = seen[np.isfinite(seen)]
    verdict = give_verdict(in_band, public_error, grown, regret.chance)
    to_settle = None
    if verdict == "not enough evidence" and public:
        to_settle = submissions_to_settle(
            regret, ranking, witnesses, public_error, family, REGRET_LIMIT
        )
    wanted = sorted({*ranking.band, *public}, key=lambda i: -ranking.points[i])
    return Trust(
        band=ranking.band,
        chosen=chosen,
        contenders=tuple(contenders),
        unlabelled=field.unlabelled,
        watched=beside,
        leaders=field.leaders(beside, ranking.band),
        validation={i: ranking.points[i] for i in wanted},
        scores={
            name: dict(zip(witnesses.trials, values.tolist(), strict=True))
            for name, values in field.validated.items()
        },
        public=public,
        scored=witnesses.trials,
        error=ranking.error,
        public_error=public_error,
        line=Line.of(ranking.of(witnesses.trials), witnesses.public),
        evidence=grown,
        counted=int(witnesses.counted.sum()),
        ceiling=_ceiling(regret.spread, ranking.own_error, public_error),
        homogeneity=homogeneity(in_band, public_error),
        regret=regret,
        verdict=verdict,
        to_settle=to_settle,
    )


def _public_error(holdout: Holdout, ranking: Ranking, witnesses: Witnesses) -> float:
    """Standard error in points of a public score, by its images and by how hard they are.

    An image that is right or wrong has the variance p (1 - p): of a metric from 0 to 1, a model at
    60 % is measured less precisely than one at 90 %.
    """
    if not witnesses.trials:
        return ranking.error
    more = len(holdout.labels) / float(np.median(witnesses.images))
    error = ranking.error * float(more**0.5)
    metric, public = holdout.metric, witnesses.points
    here = float(np.median(ranking.of(list(public)))) * metric.points
    there = float(np.median(list(public.values()))) * metric.points
    if metric.direction == "minimize" or not (0 < here < 1 and 0 < there < 1):
        return error
    harder = (there * (1 - there) / (here * (1 - here))) ** 0.5
    return error * float(np.clip(harder, 0.5, 3.0))


def _ceiling(spread: float, error: float, public_error: float) -> float:
    """Expected tau if both skills were one and only sampling noise stood between the scores."""
    shared = spread**2 / np.sqrt((spread**2 + error**2) * (spread**2 + public_error**2))
    return float(2 / np.pi * np.arcsin(shared))
