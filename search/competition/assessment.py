"""Trust, computed for a competition as its records tell it."""

from __future__ import annotations

import dataclasses

from results.leaderboard.entries import EmbeddingNetwork, Submission
from results.trust.assessment import assess
from results.trust.band import Validated
from results.trust.trust import Trust
from results.trust.validation import STRESS
from results.trust.witnesses import Score
from search.competition.standing import Standing
from search.competition.validation_scores import ValidationScores, find_validation_scores
from search.options.analysis import FinalConfig, TrustConfig
from search.options.training import PromoteConfig
from spaces.errors import InputError


def assess_as_asked(
    standing: Standing, config: PromoteConfig | FinalConfig
) -> tuple[ValidationScores, Trust]:
    """Weighs what ``search.trust`` was asked to weigh last, for gate and final selection.

    Args:
        standing: The competition.
        config: The command's options.

    Raises:
        InputError: If the frozen validation is not among those offered any more.
    """
    last = standing.leaderboard.assessed
    network = last.network if last else EmbeddingNetwork()
    asked = TrustConfig(
        runs=config.runs,
        tracking=config.tracking,
        model=config.model,
        prepare=config.prepare,
        backbone=network.backbone,
        weights=network.weights,
        pretrained=network.pretrained,
    )
    offered = find_validation_scores(asked, standing)
    return offered, assess_standing(standing, offered)


def assess_standing(
    standing: Standing, offered: ValidationScores, *, accepted: bool = False
) -> Trust:
    """Weighs the evidence of a competition's scores.

    Args:
        standing: The competition.
        offered: The scores that compete.
        accepted: Whether another validation than the frozen one may be chosen.

    Raises:
        InputError: If the frozen validation is not among those offered any more.
    """
    leaderboard = standing.leaderboard
    frozen = ""
    if leaderboard.frozen is not None and not accepted:
        frozen = leaderboard.frozen.validation
        if frozen not in offered.names:
            raise InputError(
                f"validation was trusted as {frozen!r}, which is not there any more "
                f"({offered.why_not(frozen)}); accept=[validation] goes on without it"
            )
    scores = [
        Score(
            trial=s.trial,
            value=s.public,
            images=s.images,
            broken=_broken(s, standing),
        )
        for s in leaderboard.scored()
        if s.public is not None
    ]
    return assess(
        standing.metric,
        standing.labelled.labels,
        _seen(standing, offered),
        scores,
        standing.labelled.groups,
        rule=standing.rule,
        errors=standing.task.errors,
        watched=offered.watched,
        validations=offered.validations,
        unlabelled=offered.unlabelled,
        frozen=frozen,
    )


def _seen(standing: Standing, offered: ValidationScores) -> list[Validated]:
    """Candidates with all the predictions that the validation scores need."""
    looked = standing.looked_at()
    plain = standing.validated(looked)
    if STRESS not in offered.validations:
        return plain
    under = {v.id: v.probabilities for v in standing.validated(looked, STRESS)}
    return [dataclasses.replace(v, stressed=under[v.id]) for v in plain]


def _broken(submission: Submission, standing: Standing) -> bool:
    """Whether a trial was far behind the best that there was when it was scored.

    Only what was known then decides: what counts as evidence must not depend on later scores.
    """
    own = standing.candidate(submission.trial)
    if own is None:
        return False
    then = submission.scored_at or submission.at
    best = max(c.merit for c in standing.pool if c.ended <= then or c is own)
    return standing.rule.broken((best - own.merit) / standing.metric.points)
