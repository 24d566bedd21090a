"""Options of searches whose trials are chosen otherwise than by earlier trials."""

from __future__ import annotations

from dataclasses import dataclass

from search.options.option import option
from search.options.shared import demand

TRAINING, INFERENCE, POPULATION = MODES = ("training", "inference", "population")
"""What chooses the configurations that are trained: earlier trainings, density matching, or a
population."""


@dataclass(kw_only=True)
class InferenceConfig:
    """Density matching: how many policies are scored, and by how many networks."""

    policies: int = option(64, "with mode=inference, policies that are drawn and scored")
    models: int = option(
        2, "with mode=inference, networks that score them, trained without augmentation"
    )

    def __post_init__(self) -> None:
        demand(self.policies >= 2, "inference.policies", self.policies, "at least 2")
        demand(self.models >= 1, "inference.models", self.models, "at least 1")


@dataclass(kw_only=True)
class PopulationConfig:
    """Population based training of schedules of augmentation."""

    members: int = option(
        16, "with mode=population, trainings that take over weights and schedules from each other"
    )

    def __post_init__(self) -> None:
        demand(self.members >= 4, "population.members", self.members, "at least 4")
