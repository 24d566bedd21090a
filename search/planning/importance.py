"""Which searched parameters mattered, beside what chance alone makes of shuffled scores."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.importance import PedAnovaImportanceEvaluator

from results.metrics import Direction, sign_of
from results.records.closing import Importance
from spaces.space import SearchSpace

FEWEST = 8
"""Trials below which nothing is said."""

SHUFFLES = 200
"""Times that scores are shuffled among the trials."""

BETTER = 0.5
"""Share of the trials that importance is about; of few trials a smaller one tells little."""

LEVEL = 0.05
"""Chance that any parameter stands out where none matters."""


def importances(
    space: SearchSpace,
    params: Sequence[Mapping[str, Any]],
    scores: NDArray[np.float64],
    direction: Direction,
) -> list[Importance]:
    """Importance of each parameter for being among the better half.

    PED-ANOVA (Watanabe et al., IJCAI 2023); conditional parameters are compared among the trials
    that have them (Kaito et al., Conditional PED-ANOVA, KDD 2026). The same scores are dealt
    to the trials at random to learn what chance makes of so few trials: a parameter stands out
    above the level that all parameters together exceed by chance in `LEVEL` of searches at most.

    Args:
        space: What was searched.
        params: Of each trial, as drawn.
        scores: float64 (n,).
        direction: Which way they are better.

    Returns:
        The most important first; none with fewer than `FEWEST` trials.
    """
    if len(scores) < FEWEST:
        return []
    names = [p.name for p in space.params if any(p.name in drawn for drawn in params)]
    study = optuna.create_study()
    study.add_trials(
        [
            optuna.trial.create_trial(
                params=dict(drawn),
                distributions={name: space[name].distribution for name in drawn},
                value=0.0,
            )
            for drawn in params
        ]
    )
    evaluator = PedAnovaImportanceEvaluator(target_quantile=BETTER)

    def values(losses: NDArray[np.float64]) -> NDArray[np.float64]:
        with warnings.catch_warnings():  # that the smallest targets are the best ones
            warnings.simplefilter("ignore")
            found = evaluator.evaluate(study, names, target=lambda t: float(losses[t.number]))
        return np.array([found[name] for name in names])

    losses = np.asarray(scores, np.float64) * -sign_of(direction)
    ours = values(losses)
    rng = np.random.default_rng(0)
    shuffled = np.stack([values(rng.permutation(losses)) for _ in range(SHUFFLES)])
    chance = np.quantile(shuffled, 1 - LEVEL / len(names), axis=0)
    found = [
        Importance(
            parameter=name,
            value=float(ours[i]),
            chance=float(chance[i]),
            trials=sum(name in p for p in params),
        )
        for i, name in enumerate(names)
    ]
    return sorted(found, key=lambda f: f.chance - f.value)
