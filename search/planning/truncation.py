"""Who of a population goes on from whom, and with what: truncation selection, and small steps.

Ray's `PopulationBasedTraining` has the same rules in a scheduler that keeps its state in itself,
unpickles trials and draws from the global generator. Here they are functions of scores and a seed,
since a search that goes on has to compute from its record what it computed before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from optuna.distributions import FloatDistribution

from spaces.param import Param

QUARTER = 0.25
"""Share of the members that take over, and of those that are taken over (truncation selection of
Jaderberg et al., 2017; the default of Ray's scheduler, and Ho et al.'s)."""

RESAMPLED = 0.2
"""Chance that a strength is drawn anew instead of shifted (Ho et al., 2019, algorithm 2)."""

STEPS, STEP = 3, 0.1
"""A strength is shifted by up to so many steps, each this share of its range (the same)."""


def takeovers(scores: Sequence[float | None], generator: np.random.Generator) -> dict[int, int]:
    """Who goes on from whom: the lowest quarter, each from one of the highest, drawn evenly.

    Args:
        scores: Of the members, larger is better; None for those that failed, which count lowest.
        generator: Of the draws.
    """
    ended = [-math.inf if score is None else score for score in scores]
    order = sorted(range(len(scores)), key=lambda member: (ended[member], -member))
    some = math.ceil(QUARTER * len(scores))
    highest = [m for m in order if scores[m] is not None][-some:]
    lowest = {*order[:some], *(m for m in order if scores[m] is None)} - set(highest)
    return {m: highest[generator.integers(len(highest))] for m in sorted(lowest) if highest}


def explored(strength: float, param: Param, generator: np.random.Generator) -> float:
    """Another strength near one, or sometimes anywhere, within the range of a parameter."""
    d = param.distribution
    assert isinstance(d, FloatDistribution)
    if generator.random() < RESAMPLED:
        return float(generator.uniform(d.low, d.high))
    shift = generator.integers(STEPS, endpoint=True) * STEP * (d.high - d.low)
    return float(np.clip(strength + generator.choice((-1, 1)) * shift, d.low, d.high))
