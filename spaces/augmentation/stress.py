"""A stress as data: what moves training images towards the test's, and how well it does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spaces.augmentation.operations import OPERATIONS
from spaces.augmentation.policy import AugPolicy, Choice, Course, Stage
from spaces.digest import digest
from spaces.errors import InputError
from spaces.files import write_whole

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Stress:
    """Operations, one after another on every image, that a classifier mistakes for the test.

    Attributes:
        policy: One stage per operation, always applied.
        side: Height and width in pixels of the images that limits in pixels are meant for.
        before: AUC at which untouched training images are told from test images.
        after: The same under the stress; both on images that it was not fitted on.
        error: Standard error of the difference.
        images: Of either side that it was fitted on.
        data: Identity of the contest's files.
    """

    policy: AugPolicy
    side: int
    before: float
    after: float
    error: float
    images: int
    data: str

    def __post_init__(self) -> None:
        if not self.policy.stages:
            raise InputError("a stress needs at least one operation")
        for stage in self.policy.stages:
            if len(stage.choices) != 1 or not isinstance(stage.choices[0], Choice):
                raise InputError("a stress has one operation per stage")

    def strengths(self, side: int) -> dict[str, float]:
        """Strength of each operation in the searched range of ready spaces, from 0 on.

        Args:
            side: Height and width in pixels of images that are augmented.
        """
        found = {}
        for choice in _choices(self.at_side(side)):
            row, limit = OPERATIONS[choice.operation], _number(choice)
            if row.identity is not None and limit is not None:
                found[row.name] = (limit - row.identity) / (row.searched - row.identity)
        return found

    @property
    def digest(self) -> str:
        """Identity of what it does to an image."""
        return digest([self.policy.to_json(), self.side])

    def at_side(self, side: int) -> AugPolicy:
        """The policy for images of another side: what is stated in pixels grows with it."""
        return scaled(self.policy, side / self.side)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready form; ``from_json`` reads it back."""
        numbers = {k: v for k, v in vars(self).items() if k != "policy"}
        return {"format": FORMAT, "policy": self.policy.to_json(), **numbers}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Stress:
        """Inverse of ``to_json``."""
        fields = {k: v for k, v in data.items() if k not in ("format", "policy")}
        return Stress(policy=AugPolicy.from_json(data["policy"]), **fields)

    def write(self, folder: Path) -> Path:
        """Writes ``stress-<digest>.json`` into ``folder`` and returns its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"stress-{self.digest}.json"
        write_whole(json.dumps(self.to_json(), indent=2), path)
        return path

    @staticmethod
    def read(path: Path) -> Stress:
        """Reads a stored stress.

        Raises:
            InputError: If there is none, or it is damaged.
        """
        try:
            data = json.loads(path.read_text())
            if data["format"] != FORMAT:
                raise InputError(f"{path} has the format {data['format']}, not {FORMAT}")
            return Stress.from_json(data)
        except InputError:
            raise
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} does not hold a stress: {error}") from error


def stress_policy(strengths: Mapping[str, float]) -> AugPolicy:
    """Operations at strengths in [0, 1] of their searched ranges; those at 0 are left out."""
    stages = [
        Stage(choices=(Choice(operation=name, limit=OPERATIONS[name].at(strength)),))
        for name, strength in strengths.items()
        if strength > 0
    ]
    return AugPolicy(stages=tuple(sorted(stages, key=lambda stage: not stage.crops)))


def scaled(policy: AugPolicy, factor: float) -> AugPolicy:
    """A stress's policy whose limits in pixels are ``factor`` times as large, where they may be."""

    def grown(choice: Choice) -> Choice:
        row, limit = OPERATIONS[choice.operation], _number(choice)
        if row.unit.strip() != "px" or limit is None:
            return choice
        return replace(choice, limit=min(row.widest, limit * factor))

    return AugPolicy(
        stages=tuple(
            replace(stage, choices=(grown(choice),))
            for stage, choice in zip(policy.stages, _choices(policy), strict=True)
        )
    )


def _choices(policy: AugPolicy) -> list[Choice]:
    return [c for stage in policy.stages for c in stage.choices if isinstance(c, Choice)]


def _number(choice: Choice) -> float | None:
    assert not isinstance(choice.limit, Course)
    return choice.limit
