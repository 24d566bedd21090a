"""Which recorded configuration a search trains next: at random, or nearest to what TPE proposes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from spaces.space import SearchSpace
from tests.benchmarks.curves.recorded import EPOCHS, Curves


def random_order(curves: Curves, seed: int, rounds: int) -> Iterator[int]:
    """All curves in random order, so many times."""
    rng = np.random.default_rng(seed)
    for _ in range(rounds):
        yield from (int(i) for i in rng.permutation(len(curves.params)))


def nearest_to_tpe(curves: Curves, seed: int) -> tuple[Iterator[int], Callable[[int, int], None]]:
    """What Optuna's TPE proposes, as the nearest of the curves that are left.

    Returns:
        Curves, all of them once, and what has to be told of each: how many epochs it was trained.
    """
    sampler = optuna.samplers.TPESampler(multivariate=True, group=True, seed=seed)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    space, left = curves.space, dict(enumerate(curves.params))
    states = optuna.trial.TrialState

    def propose() -> Iterator[int]:
        while left:
            asked = study.ask()
            wanted = space.suggest(asked)
            study.tell(asked, state=states.FAIL)
            found = min(left, key=lambda i: _distance(space, wanted, left[i]))
            del left[found]
            yield found

    def tell(curve: int, epochs: int) -> None:
        params = dict(curves.params[curve])
        done = epochs == EPOCHS
        study.add_trial(
            optuna.trial.create_trial(
                params=params,
                distributions={name: space[name].distribution for name in params},
                intermediate_values=dict(enumerate(curves.scores[curve, :epochs].tolist(), 1)),
                state=states.COMPLETE if done else states.PRUNED,
                value=float(curves.scores[curve, -1]) if done else None,
            )
        )

    return propose(), tell


def _distance(space: SearchSpace, a: Mapping[str, Any], b: Mapping[str, Any]) -> float:
    """Gower's: each parameter counts by its range, one that lives in only one of both as 1."""
    total = 0.0
    for name in a.keys() | b.keys():
        if name not in a or name not in b:
            total += 1
            continue
        d = space[name].distribution
        if isinstance(d, CategoricalDistribution):
            total += a[name] != b[name]
        elif isinstance(d, FloatDistribution | IntDistribution):
            low, high, x, y = (np.log(v) if d.log else v for v in (d.low, d.high, a[name], b[name]))
            total += abs(x - y) / (high - low) if high > low else 0.0
    return total
