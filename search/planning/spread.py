"""Random draws that keep away from those before them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import FloatDistribution, IntDistribution

from spaces.param import Param, Value
from spaces.space import SearchSpace

TRIES = 16
"""Draws of which the one farthest from all before it is taken."""


def spread_draw(
    space: SearchSpace,
    before: Sequence[Mapping[str, Any]],
    seed: Sequence[int],
    allows: Callable[[Mapping[str, Any]], bool] = lambda params: True,
) -> dict[str, Value]:
    """A random draw that repeats none of those before it, nor nearly.

    Args:
        space: What to draw.
        before: Parameters of earlier draws.
        seed: Of the generator.
        allows: Says of a draw whether it may be taken; some of a space's draws have to be.
    """
    generator = np.random.default_rng(seed)
    drawn = (space.suggest(_Random(generator)) for _ in itertools.count())
    tries = list(itertools.islice(filter(allows, drawn), TRIES if before else 1))
    apart = [min((distance(space, t, b) for b in before), default=0.0) for t in tries]
    return tries[int(np.argmax(apart))]


def distance(space: SearchSpace, a: Mapping[str, Any], b: Mapping[str, Any]) -> float:
    """How unlike two draws are, from 0 to 1: the mean over the parameters that either has.

    A parameter that only one has, and another choice, count 1; numbers the share of their range.
    """
    apart = [
        _apart(p, a[p.name], b[p.name]) if p.name in a and p.name in b else 1.0
        for p in space.params
        if p.name in a or p.name in b
    ]
    return float(np.mean(apart)) if apart else 0.0


def _apart(param: Param, a: Any, b: Any) -> float:
    d = param.distribution
    if not isinstance(d, FloatDistribution | IntDistribution):
        return float(a != b)
    if d.low == d.high:
        return 0.0
    if d.log:
        return abs(math.log(a / b)) / math.log(d.high / d.low)
    return float(abs(a - b) / (d.high - d.low))


class _Random:
    """Draws evenly from ranges and choices."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        if step is not None:
            return low + step * self._whole(0, math.floor((high - low) / step + 1e-8))
        if log:
            drawn = math.exp(self._generator.uniform(math.log(low), math.log(high)))
            return min(max(drawn, low), high)
        return float(self._generator.uniform(low, high))

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        if log:
            return min(max(round(self.suggest_float(name, low, high, log=True)), low), high)
        return low + step * self._whole(0, (high - low) // step)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return choices[self._whole(0, len(choices) - 1)]

    def _whole(self, low: int, high: int) -> int:
        return int(self._generator.integers(low, high, endpoint=True))
