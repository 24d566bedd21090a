"""Random draws that keep away from those before them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from spaces.errors import InputError
from spaces.param import Param
from spaces.space import SearchSpace
from spaces.value import Value

Floats = NDArray[np.float64]
Numbers = FloatDistribution | IntDistribution

MOST = 10_000
"""Draws among which some have to be allowed."""

TRIES = 16
"""Draws of which the one farthest from those before it is taken."""

REMEMBERED = 256
"""Of those before it, the last; among more of them no draw is far from all."""


def spread_draw(
    space: SearchSpace,
    before: Sequence[Mapping[str, Any]],
    seed: Sequence[int],
    allows: Callable[[Mapping[str, Any]], bool] = lambda params: True,
) -> dict[str, Value]:
    """A random draw that repeats none of those before it, nor nearly.

    Args:
        space: What to draw.
        before: Parameters of earlier draws, the last of which count.
        seed: Of the generator.
        allows: Says of a draw whether it may be taken.

    Raises:
        InputError: If of `MOST` draws none may.
    """
    generator = np.random.default_rng(seed)
    drawn = (space.suggest(_Random(generator)) for _ in range(MOST))
    tries = list(itertools.islice(filter(allows, drawn), TRIES if before else 1))
    if not tries:
        raise InputError(
            f"space={space.name}: of {MOST:,} draws none is within the limits (limit.)"
        )
    if not before:
        return tries[0]
    return tries[int(distances(space, tries, before[-REMEMBERED:]).min(axis=1).argmax())]


def started_draw(
    space: SearchSpace, start: Mapping[str, Value], seed: Sequence[int]
) -> dict[str, Value]:
    """A draw with the values of a start that the space has; the others are random."""
    return space.suggest(_Started(np.random.default_rng(seed), space, start))


def distances(
    space: SearchSpace, some: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]
) -> Floats:
    """How unlike draws are, from 0 to 1: the mean over the parameters that either of two has.

    A parameter that only one has, and another choice, count 1; numbers the share of their range.

    Returns:
        float64 (some, others).
    """
    a, b = _places(space, some)[:, None], _places(space, others)[None]
    choices = [isinstance(p.distribution, CategoricalDistribution) for p in space.params]
    apart = np.where(choices, a != b, np.abs(a - b))
    apart[np.isnan(a) != np.isnan(b)] = 1.0
    either = ~(np.isnan(a) & np.isnan(b))
    return np.asarray(np.where(either, apart, 0.0).sum(axis=2) / np.maximum(1, either.sum(axis=2)))


def _places(space: SearchSpace, draws: Sequence[Mapping[str, Any]]) -> Floats:
    """Where draws are in their parameters' ranges, or the numbers of their choices; NaN for a
    parameter that a draw has not; (draws, parameters)."""
    columns = []
    for param in space.params:
        place = _place(param)
        name = param.name
        columns.append([place(draw[name]) if name in draw else math.nan for draw in draws])
    return np.array(columns).reshape(len(columns), len(draws)).T


def _place(param: Param) -> Callable[[Any], float]:
    d = param.distribution
    if isinstance(d, CategoricalDistribution):
        return d.choices.index
    assert isinstance(d, Numbers)
    if d.low == d.high:
        return lambda value: 0.0
    if d.log:
        return lambda value: math.log(value / d.low) / math.log(d.high / d.low)
    return lambda value: (value - d.low) / (d.high - d.low)


class _Random:
    """Draws evenly from ranges and choices."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        if step is not None:
            return low + step * self._whole(math.floor((high - low) / step + 1e-8))
        if log:
            drawn = math.exp(self._generator.uniform(math.log(low), math.log(high)))
            return min(max(drawn, low), high)
        return float(self._generator.uniform(low, high))

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        if log:
            return min(max(round(self.suggest_float(name, low, high, log=True)), low), high)
        return low + step * self._whole((high - low) // step)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return choices[self._whole(len(choices) - 1)]

    def _whole(self, high: int) -> int:
        return int(self._generator.integers(0, high, endpoint=True))


class _Started(_Random):
    """Takes what a start names, where it is among the values, and draws the rest."""

    def __init__(
        self, generator: np.random.Generator, space: SearchSpace, start: Mapping[str, Value]
    ) -> None:
        super().__init__(generator)
        self._start = {n: v for n, v in start.items() if n in space and space[n].contains(v)}

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        drawn = super().suggest_float(name, low, high, step=step, log=log)
        return float(self._start.get(name, drawn))

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        return int(self._start.get(name, super().suggest_int(name, low, high, step=step, log=log)))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self._start.get(name, super().suggest_categorical(name, choices))
