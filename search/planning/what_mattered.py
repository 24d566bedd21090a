"""What the trials of a search tell of its parameters and of its early stopping."""

from __future__ import annotations

import numpy as np

from results.metrics import Metric
from results.records.closing import WhatMattered
from results.records.trial import Trial
from results.records.trials import Search
from results.stats.early_ranks import better_grace, early_ranks
from results.stats.effects import effects
from search.planning.importance import FEWEST, importances
from spaces.space import SearchSpace


def what_mattered(
    search: Search, space: SearchSpace, metric: Metric, grace: int
) -> WhatMattered | None:
    """Compares sampled trials by the score after the last epoch that all of them reached.

    Args:
        search: The record, all trials ended.
        space: What was searched.
        metric: The contest's metric.
        grace: First rung of early stopping.

    Returns:
        None with fewer than `FEWEST` trials that early stopping or their end has ended.
    """
    key = search.key
    sampled = [t for t in search.of("sampled") if t.state in ("finished", "stopped")]
    if len(sampled) < FEWEST:
        return None
    epoch = min(t.epoch for t in sampled)
    scores = np.array([t.epochs[epoch - 1].metrics[key] for t in sampled])
    used = [t.config.policy.operations() for t in sampled]
    names = sorted(set().union(*used))
    having = {name: np.array([name in operations for operations in used]) for name in names}
    ended = [t for t in (*sampled, *search.of("baseline")) if t.state == "finished"]
    longest = max((t.epoch for t in ended), default=0)
    curves = np.array([_curve(t, key) for t in ended if t.epoch == longest])
    stops = sorted(t.epoch for t in sampled if t.state == "stopped")
    rungs = {grace, *stops[len(stops) // 2 :][:1], *stops[-1:]}  # the middle one and the last
    return WhatMattered(
        epoch=epoch,
        trials=len(sampled),
        importances=tuple(
            importances(space, [t.params for t in sampled], scores, metric.direction)
        ),
        operations=tuple(effects(metric, scores, having)),
        early=tuple(early_ranks(curves, rungs)) if len(curves) else (),
        grace=better_grace(curves, grace) if len(curves) else 0,
    )


def _curve(trial: Trial, key: str) -> list[float]:
    return [report.metrics[key] for report in trial.epochs]
