"""Models that have predicted the test images: trained here, and made elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from results.forecast.foreign_models import Foreign, all_scores, foreign_models
from results.forecast.methods import Model
from results.forecast.trained_models import models_of
from results.records.trial import Trial
from results.records.trials import Search

if TYPE_CHECKING:
    from search.competition.standing import Standing


def compared_models(
    standing: Standing, trials: Iterable[tuple[Search, Trial]], wanted: Collection[str]
) -> tuple[list[Model], dict[str, str]]:
    """Trained models, and those made elsewhere that have predicted hold-out and test images.

    Args:
        standing: The competition.
        trials: That were trained, with its images and folds.
        wanted: Ids of trials that are not to be left out.

    Returns:
        The models, and why some of what could be said of those made elsewhere is lacking, by what
        it is.
    """
    trained = models_of(trials, wanted, standing.test_images)
    known = {c.id for c in standing.pool}
    made, lacking = [], {}
    for each in standing.leaderboard.submissions.values():
        if each.source != "import":
            continue
        if each.trial not in known:
            lacking[all_scores(each.trial)] = (
                "its predictions of this hold-out are not known (validation=)"
            )
            continue
        made.append(
            Foreign(
                id=each.trial,
                holdout=standing.folder / each.holdout,
                test=standing.folder / each.test if each.test else None,
            )
        )
    foreign, more = foreign_models(made, trained, standing.labelled, standing.test_images)
    return [*trained, *foreign], lacking | more
