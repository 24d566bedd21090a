"""An augmentation policy as data: stages that are applied one after another to each image.

The grammar: an operation (`Choice`) or a team's own `Pipeline`, one or some of several (`Stage`), a
sequence (`AugPolicy`, which may be one of several itself), and numbers that run over the epochs
(`Course`).
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spaces.augmentation.operations import operation
from spaces.augmentation.pipeline import Pipeline
from spaces.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Course:
    """A number as a function of how much of the training is done.

    Attributes:
        points: (share of the training, value), shares rising from 0 to 1; straight lines between
            them.
        held: Whether each value holds up to the next point instead; the last one up to the end.
    """

    points: tuple[tuple[float, float], ...]
    held: bool = False

    def __post_init__(self) -> None:
        shares = [share for share, _ in self.points]
        ends = shares[:1] == [0] and (shares[-1] < 1 if self.held else shares[-1] == 1)
        if len(shares) < 2 or not ends or shares != sorted(set(shares)):
            raise InputError(
                f"the points of a course must rise from share 0 to 1 of the training, got {shares}"
            )

    def at(self, share: float) -> float:
        """The value when ``share`` of the training is done."""
        shares, values = zip(*self.points, strict=True)
        if self.held:
            return float(values[bisect.bisect_right(shares, share) - 1])
        return float(np.interp(share, shares, values))

    def values(self) -> tuple[float, ...]:
        """The values at the points."""
        return tuple(value for _, value in self.points)


Number = float | Course
"""The same in all epochs, or not."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """An operation with its limit, in the operation's own unit."""

    operation: str
    limit: Number | None = None

    def __post_init__(self) -> None:
        row = operation(self.operation)
        for limit in self.limit.values() if isinstance(self.limit, Course) else (self.limit,):
            row.check(limit)
        if isinstance(self.limit, int):  # the same number is the same digest
            object.__setattr__(self, "limit", float(self.limit))

    @property
    def crops(self) -> bool:
        """Whether it crops the stored image before it is resized."""
        return self.operation == "crop"

    def operations(self) -> set[str]:
        """Its name."""
        return {self.operation}

    def at(self, share: float) -> Choice:
        """The choice when ``share`` of the training is done."""
        return replace(self, limit=_at(self.limit, share)) if self.limit is not None else self

    def describe(self) -> str:
        """The choice in words."""
        row = operation(self.operation)
        if not isinstance(self.limit, Course):
            return row.describe(self.limit)
        amounts = (amount for amount, _ in itertools.groupby(map(row.amount, self.limit.values())))
        return row.words.format(" → ".join(amounts))

    def to_json(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {"operation": self.operation, "limit": _number_json(self.limit)}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """With ``probability``, applies one or some of ``choices``.

    Attributes:
        choices: Operations, pipelines or sequences of stages.
        probability: In how many of the images anything is applied.
        weights: How likely each choice is, in proportion; empty for all alike.
        count: How many different choices are applied, in their order here.
    """

    choices: tuple[Choice | Pipeline | AugPolicy, ...]
    probability: Number = 1.0
    weights: tuple[float, ...] = ()
    count: int = 1

    def __post_init__(self) -> None:
        if not self.choices:
            raise InputError("a policy stage needs at least one operation")
        chances = self.probability
        for chance in chances.values() if isinstance(chances, Course) else (chances,):
            if not 0 <= chance <= 1:
                raise InputError(f"probability of a stage must be within 0 to 1, got {chance:g}")
        if isinstance(chances, int):
            object.__setattr__(self, "probability", float(chances))
        if self.weights and (len(self.weights) != len(self.choices) or min(self.weights) <= 0):
            raise InputError(
                f"a stage of {len(self.choices)} choices needs as many weights above 0, got "
                f"{list(self.weights)}"
            )
        if not 1 <= self.count <= len(self.choices):
            raise InputError(
                f"a stage of {len(self.choices)} choices can apply 1 to {len(self.choices)} of "
                f"them, got count={self.count}"
            )
        if self.weights and self.count > 1:
            raise InputError("weights are for one choice of several: with count they have no sense")
        if any(c.crops for c in self.choices) and not (
            len(self.choices) == 1 and isinstance(self.choices[0], Choice)
        ):
            raise InputError("'crop' needs a stage of its own: it is applied before resizing")

    @property
    def crops(self) -> bool:
        """Whether this is the stage that crops the stored image before it is resized."""
        return any(choice.crops for choice in self.choices)

    def at(self, share: float) -> Stage:
        """The stage when ``share`` of the training is done."""
        return replace(
            self,
            choices=tuple(choice.at(share) for choice in self.choices),
            probability=_at(self.probability, share),
        )

    def describe(self) -> str:
        """The stage in words."""
        words = [choice.describe() for choice in self.choices]
        if self.weights:
            total = sum(self.weights)
            shares = [f" ({w / total:.0%})" for w in self.weights]
            words = [word + share for word, share in zip(words, shares, strict=True)]
        what = " or ".join(words) if self.count == 1 else f"{self.count} of: {'; '.join(words)}"
        if isinstance(self.probability, Course):
            first, *_, last = self.probability.values()
            return f"in {first:.0%} of images at first, {last:.0%} at last: {what}"
        often = "always" if self.probability == 1 else f"in {self.probability:.0%} of images"
        return f"{often}: {what}"

    def to_json(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            "probability": _number_json(self.probability),
            "choices": [choice.to_json() for choice in self.choices],
            "weights": list(self.weights),
            "count": self.count,
        }


@dataclass(frozen=True, kw_only=True)
class AugPolicy:
    """Stages in order; no stage means no augmentation."""

    stages: tuple[Stage, ...] = ()

    def __post_init__(self) -> None:
        if any(stage.crops for stage in self.stages[1:]):
            raise InputError("only the first stage of a policy can crop")

    @property
    def crops(self) -> bool:
        """Whether it begins with cropping the stored image."""
        return any(stage.crops for stage in self.stages)

    def operations(self) -> set[str]:
        """Names of all operations and pipelines that it may apply."""
        return {
            name
            for stage in self.stages
            for choice in stage.choices
            for name in choice.operations()
        }

    def pipelines(self) -> Iterator[Pipeline]:
        """The team's own pipelines in it."""
        for stage in self.stages:
            for choice in stage.choices:
                if isinstance(choice, Pipeline):
                    yield choice
                elif isinstance(choice, AugPolicy):
                    yield from choice.pipelines()

    def at(self, share: float) -> AugPolicy:
        """The policy when ``share`` of the training is done, from 0 to 1: without courses."""
        return AugPolicy(stages=tuple(stage.at(share) for stage in self.stages))

    def describe(self) -> str:
        """The policy in words, in a line."""
        return ", then ".join(stage.describe() for stage in self.stages) or "no augmentation"

    def to_json(self) -> dict[str, Any]:
        """JSON-ready form; ``from_json`` reads it back."""
        return {"stages": [stage.to_json() for stage in self.stages]}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> AugPolicy:
        """Inverse of ``to_json``."""
        return AugPolicy(
            stages=tuple(
                Stage(
                    choices=tuple(_choice(choice) for choice in stage["choices"]),
                    probability=_number(stage["probability"]),
                    weights=tuple(stage["weights"]),
                    count=stage["count"],
                )
                for stage in data["stages"]
            )
        )


def _choice(data: Mapping[str, Any]) -> Choice | Pipeline | AugPolicy:
    if "stages" in data:
        return AugPolicy.from_json(data)
    if "pipeline" in data:
        return Pipeline.of(data["pipeline"], data["transform"])
    limit = data["limit"]
    return Choice(operation=data["operation"], limit=None if limit is None else _number(limit))


def _number(data: Any) -> Number:
    if isinstance(data, Mapping):
        points = tuple((share, value) for share, value in data["points"])
        return Course(points=points, held=data["held"])
    return float(data)


def _number_json(number: Number | None) -> Any:
    if isinstance(number, Course):
        return {"points": [list(point) for point in number.points], "held": number.held}
    return number


def _at(number: Number, share: float) -> float:
    return number.at(share) if isinstance(number, Course) else number
