"""One searched parameter: its name, its Optuna distribution and when it lives."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)

from spaces.errors import InputError, unknown
from spaces.value import Value

_NAME = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")


@dataclass(frozen=True, kw_only=True)
class When:
    """A condition: ``parameter`` has one of ``values``."""

    parameter: str
    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise InputError(f"condition on {self.parameter!r} needs at least one value")

    def holds(self, params: Mapping[str, Value]) -> bool:
        """Whether the condition's parameter is in ``params`` with one of the values."""
        return self.parameter in params and params[self.parameter] in self.values


@dataclass(frozen=True, kw_only=True)
class Param:
    """A dimension of a search space.

    Attributes:
        name: Dotted lower-case name; what it sets is described at ``TrialConfig.with_params``.
        distribution: Optuna distribution; bounds are inclusive.
        when: All of these must hold for the parameter to be drawn.
    """

    name: str
    distribution: BaseDistribution
    when: tuple[When, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise InputError(f"parameter name {self.name!r} must look like lr or stage1.strength")

    def lives(self, params: Mapping[str, Value]) -> bool:
        """Whether every condition holds, given the parameters drawn before this one."""
        return all(condition.holds(params) for condition in self.when)

    def contains(self, value: Value) -> bool:
        """Whether ``value`` could be drawn."""
        d = self.distribution
        if isinstance(d, CategoricalDistribution):
            return any(value == c and type(value) is type(c) for c in d.choices)
        if not isinstance(d, FloatDistribution | IntDistribution):
            raise TypeError(f"unsupported distribution {d!r}")
        if not isinstance(value, int | float) or isinstance(value, bool):
            return False
        if not d.low <= value <= d.high:  # not for NaN, either
            return False
        steps = (value - d.low) / d.step if d.step else 0.0
        return abs(steps - round(steps)) < 1e-8

    def read(self, value: Any) -> Value | None:
        """The value that could be drawn and is meant by ``value`` or its text; None if none is."""
        if isinstance(self.distribution, CategoricalDistribution):
            return next((c for c in self.distribution.choices if str(c) == str(value)), None)
        try:
            number = float(value)
        except (TypeError, ValueError):
            return None
        meant = int(number) if isinstance(self.distribution, IntDistribution) else number
        return meant if self.contains(number) else None

    @property
    def kind(self) -> str:
        """What is drawn: ``one of 4``, ``whole number`` or ``number``."""
        if isinstance(self.distribution, CategoricalDistribution):
            return f"one of {len(self.distribution.choices)}"
        return "whole number" if isinstance(self.distribution, IntDistribution) else "number"

    @property
    def categories(self) -> tuple[Any, ...]:
        """The choices of a categorical parameter; none of a range."""
        d = self.distribution
        return tuple(d.choices) if isinstance(d, CategoricalDistribution) else ()

    @property
    def largest(self) -> float:
        """The largest number that can be drawn."""
        d = self.distribution
        if isinstance(d, FloatDistribution | IntDistribution):
            return float(d.high)
        return max(float(choice) for choice in self.categories)

    @property
    def smallest(self) -> float:
        """The smallest number that can be drawn."""
        d = self.distribution
        if isinstance(d, FloatDistribution | IntDistribution):
            return float(d.low)
        return min(float(choice) for choice in self.categories)

    def choices(self) -> str:
        """The range or the choices in words."""
        d = self.distribution
        if isinstance(d, CategoricalDistribution):
            return ", ".join(map(str, d.choices))
        if isinstance(d, FloatDistribution | IntDistribution):
            return f"{d.low:g} to {d.high:g}" + (" (log)" if d.log else "")
        raise TypeError(f"unsupported distribution {d!r}")

    def narrow(self, to: Any) -> Param:
        """Returns the parameter restricted to ``to``.

        Args:
            to: ``[low, high]`` for a range, a list of choices for a categorical.

        Raises:
            InputError: If ``to`` is malformed, upside down or reaches outside the range.
        """
        place = f"narrow.{self.name}={to}"
        values = list(to) if isinstance(to, list | tuple) else [to]
        d = self.distribution
        if isinstance(d, CategoricalDistribution):
            if not values:
                raise InputError(f"{place}: give at least one of {self.choices()}")
            for value in values:
                if not self.contains(value):
                    raise unknown("choice", value, map(str, d.choices), place)
            return self._with(CategoricalDistribution(values))
        if not isinstance(d, FloatDistribution | IntDistribution):
            raise TypeError(f"unsupported distribution {d!r}")
        if len(values) != 2 or not all(isinstance(v, int | float) for v in values):
            raise InputError(f"{place}: give a range as [low,high] within {self.choices()}")
        low, high = values
        if low > high:
            raise InputError(f"{place}: the range is upside down, {low:g} is above {high:g}")
        for value in values:
            if not self.contains(value):
                raise InputError(f"{place}: {value:g} is outside {self.choices()}")
        if isinstance(d, IntDistribution):
            return self._with(IntDistribution(int(low), int(high), log=d.log, step=d.step))
        return self._with(FloatDistribution(low, high, log=d.log, step=d.step))

    def _with(self, distribution: BaseDistribution) -> Param:
        return Param(name=self.name, distribution=distribution, when=self.when)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            "name": self.name,
            "distribution": json.loads(distribution_to_json(self.distribution)),
            "when": [{"parameter": w.parameter, "values": list(w.values)} for w in self.when],
        }
