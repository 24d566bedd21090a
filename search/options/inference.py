"""Options of a search that scores policies by inference."""

from __future__ import annotations

from dataclasses import dataclass

from search.options.option import option
from search.options.shared import demand

TRAINING, INFERENCE = MODES = ("training", "inference")
"""What chooses the configurations that are trained: earlier trainings, or density matching."""


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
