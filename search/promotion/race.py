"""Who is left after a race, and who has won it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from results.ensemble.out_of_fold import arms_left, collect
from results.metrics import Metric
from results.records.trials import Search
from results.reporting.promotion_page import SECOND_STAGE


def race_survivors(search: Search, metric: Metric, race: Sequence[int]) -> list[str]:
    """Who is left after the race, the best first, from the predictions of its folds.

    Args:
        search: The promotion.
        metric: The contest's metric.
        race: The race's folds.
    """
    found = {}
    labels, groups = None, None
    for arm in search.promotion.arms:
        if not {t.config.run.fold for t in search.trainings(arm)} >= set(race):
            continue
        oof, _ = collect(search, arm)
        rows = np.isin(oof.folds, race)
        found[arm] = oof.predictions.judged[rows]
        labels, groups = oof.labels[rows], None if oof.groups is None else oof.groups[rows]
    if labels is None:
        return []
    most = 1 if tuple(race) == SECOND_STAGE else 2
    return arms_left(metric, labels, found, groups, most)
