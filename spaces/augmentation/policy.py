"""An augmentation policy as data: stages that are applied one after another to each image."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spaces.augmentation.operations import operation
from spaces.errors import InputError, unknown
from spaces.param import Value


@dataclass(frozen=True, kw_only=True)
class Choice:
    """An operation with its limit, in the operation's own unit."""

    operation: str
    limit: float | None = None

    def __post_init__(self) -> None:
        operation(self.operation).check(self.limit)

    def describe(self) -> str:
        """The choice in words."""
        return operation(self.operation).describe(self.limit)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """With ``probability``, applies one of ``choices``, each as likely as the others."""

    choices: tuple[Choice, ...]
    probability: float = 1.0

    def __post_init__(self) -> None:
        if not self.choices:
            raise InputError("a policy stage needs at least one operation")
        if not 0 <= self.probability <= 1:
            raise InputError(
                f"probability of a stage must be within 0 to 1, got {self.probability:g}"
            )
        if self.crops and len(self.choices) > 1:
            raise InputError("'crop' needs a stage of its own: it is applied before resizing")

    @property
    def crops(self) -> bool:
        """Whether this is the stage that crops the stored image before it is resized."""
        return any(choice.operation == "crop" for choice in self.choices)

    def describe(self) -> str:
        """The stage in words."""
        words = " or ".join(choice.describe() for choice in self.choices)
        often = "always" if self.probability == 1 else f"in {self.probability:.0%} of images"
        return f"{often}: {words}"


@dataclass(frozen=True, kw_only=True)
class AugPolicy:
    """Stages in order; no stage means no augmentation."""

    stages: tuple[Stage, ...] = ()

    def __post_init__(self) -> None:
        if any(stage.crops for stage in self.stages[1:]):
            raise InputError("only the first stage of a policy can crop")

    def describe(self) -> str:
        """The policy in words, one line per stage."""
        if not self.stages:
            return "no augmentation"
        if self == trivial_augment():
            return "TrivialAugment (wide)"
        return "\n".join(f"{i}. {s.describe()}" for i, s in enumerate(self.stages, start=1))

    def to_json(self) -> list[dict[str, Any]]:
        """JSON-ready form; ``from_json`` reads it back."""
        return [
            {
                "probability": stage.probability,
                "choices": [{"operation": c.operation, "limit": c.limit} for c in stage.choices],
            }
            for stage in self.stages
        ]

    @staticmethod
    def from_json(data: list[dict[str, Any]]) -> AugPolicy:
        """Inverse of ``to_json``."""
        return AugPolicy(
            stages=tuple(
                Stage(
                    probability=stage["probability"],
                    choices=tuple(
                        Choice(operation=c["operation"], limit=c["limit"]) for c in stage["choices"]
                    ),
                )
                for stage in data
            )
        )

    @staticmethod
    def from_params(params: Mapping[str, Value]) -> AugPolicy:
        """Builds a policy from ``stages``, ``stage1.operation``, ``stage1.probability``, ….

        A strength is in [0, 1] of the operation's searched range and defaults to 0.5, a
        probability to 1; ``stages`` defaults to the highest stage named. A cropping stage comes
        first; of several only the first counts, since an image is cropped once.

        Raises:
            InputError: If a stage lacks its operation or a value does not fit.
        """
        stages: list[Stage] = []
        named = [int(name[5]) for name in params if name != "stages"]
        count = _number(params, "stages", max(named, default=0))
        for i in range(1, round(count) + 1):
            name = params.get(f"stage{i}.operation")
            if name is None:
                raise InputError(f"stages={count:g} needs stage{i}.operation")
            strength = _number(params, f"stage{i}.strength", 0.5)
            choice = Choice(operation=str(name), limit=operation(str(name)).at(strength))
            stage = Stage(
                choices=(choice,), probability=_number(params, f"stage{i}.probability", 1.0)
            )
            if not (stage.crops and any(s.crops for s in stages)):
                stages.append(stage)
        return AugPolicy(stages=tuple(sorted(stages, key=lambda s: not s.crops)))


def _number(params: Mapping[str, Value], name: str, default: float) -> float:
    value = params.get(name, default)
    if isinstance(value, bool | str) or not math.isfinite(value):
        raise InputError(f"{name}={value}: a number is needed")
    return float(value)


def trivial_augment() -> AugPolicy:
    """TrivialAugment (wide): one of 14 operations per image at a uniform strength.

    Source: Müller and Hutter, TrivialAugment, ICCV 2021. Two differences: the strength is
    continuous instead of 31 bins, and the translation of 32 pixels is written as the share of a
    224-pixel side, so that it keeps its meaning on small images. Identity is the fourteenth
    operation, hence the probability.
    """
    shear = math.degrees(math.atan(0.99))
    choices = (
        Choice(operation="shear_x", limit=shear),
        Choice(operation="shear_y", limit=shear),
        Choice(operation="translate_x", limit=32 / 224),
        Choice(operation="translate_y", limit=32 / 224),
        Choice(operation="rotate", limit=135),
        Choice(operation="brightness", limit=0.99),
        Choice(operation="saturation", limit=0.99),
        Choice(operation="contrast", limit=0.99),
        Choice(operation="sharpness", limit=0.99),
        Choice(operation="posterize", limit=6),
        Choice(operation="solarize", limit=1.0),
        Choice(operation="autocontrast"),
        Choice(operation="equalize"),
    )
    return AugPolicy(stages=(Stage(choices=choices, probability=13 / 14),))


def named_policy(name: str) -> AugPolicy:
    """The policies that ``fix.policy=`` knows by name: ``none`` and ``trivial_augment``."""
    policies = {"none": AugPolicy(), "trivial_augment": trivial_augment()}
    if name not in policies:
        raise unknown("policy", name, policies, f"policy={name}")
    return policies[name]
