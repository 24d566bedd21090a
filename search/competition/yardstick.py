"""What ranks a competition's candidates: the score that is in force, on hold-out or test images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from results.forecast.methods import RANKINGS
from results.leaderboard.entries import Assessed
from results.trust.image_weights import ImageWeights
from results.trust.unlabelled import Unlabelled
from results.trust.validation import (
    PLAIN,
    STRESS,
    Validation,
    class_balanced,
    weighted_to_test,
    worst_group,
)
from spaces.errors import InputError

if TYPE_CHECKING:
    from search.competition.standing import Standing


def in_force(standing: Standing) -> Validation:
    """The score on the hold-out that says which trials compete, and ranks them unless an
    unlabelled one does: the frozen one, or the last tournament's choice."""
    leaderboard, labelled, name = standing.leaderboard, standing.labelled, _chosen(standing)
    if name == "class-balanced":
        return class_balanced(labelled.labels)
    if name == "worst group":
        return worst_group(labelled.groups) or PLAIN
    if not leaderboard.test_images:
        return PLAIN
    if name == STRESS.name and any(map(standing.stressed, standing.pool)):
        return STRESS
    if name == "test-weighted" and leaderboard.assessed is not None:
        return weighted_to_test(
            ImageWeights.read(standing.folder / leaderboard.assessed.weights).weights
        )
    return PLAIN


def unlabelled_in_force(standing: Standing) -> Unlabelled | None:
    """The score on unlabelled test images that ranks the trials that compete; None for none."""
    name = _chosen(standing)
    if name not in RANKINGS or not standing.leaderboard.test_images:
        return None
    return next((u for u in standing.unlabelled_scores if u.name == name), None)


def check_frozen(frozen: Assessed | None, metric: str, folds: str, accept: Sequence[str]) -> None:
    """Raises InputError if a trusted validation would be changed without being accepted."""
    if frozen is None or "validation" in accept:
        return
    for what, then, now in (
        ("metric", frozen.metric, metric),
        ("folds", frozen.folds, folds),
    ):
        if then != now:
            raise InputError(
                f"the {what} were {then} when validation was trusted, and are {now} now: trust "
                "would begin anew; accept=[validation] goes on with the change"
            )


def _chosen(standing: Standing) -> str:
    """Name of the score in force; the plain one's where metric or folds are others than then."""
    last, frozen = standing.leaderboard.assessed, standing.leaderboard.frozen
    folds = standing.search.opened.folds.digest
    if last is None or (last.metric, last.folds) != (standing.metric.name, folds):
        return PLAIN.name
    return frozen.validation if frozen else last.validation
