"""How much an image counts in the loss, by its class."""

from __future__ import annotations

from dataclasses import dataclass

from spaces.sections.section import Kinds, Section


@dataclass(frozen=True, kw_only=True)
class Weighting(Section):
    """Every image the same."""

    kind: str = "none"


@dataclass(frozen=True, kw_only=True)
class Inverse(Weighting):
    """Images of rare classes more, images of common ones less.

    Attributes:
        weight_power: An image's weight is proportional to its class's size to the power of minus
            this: 1 makes all classes count alike, 0.5 is the square-root rule.
    """

    kind: str = "balanced"
    weight_power: float = 1.0

    def __post_init__(self) -> None:
        self.demand(0 < self.weight_power <= 1, "weight_power", "above 0 and at most 1")


@dataclass(frozen=True, kw_only=True)
class EffectiveNumber(Weighting):
    """By the effective number of a class's images (Cui et al., CVPR 2019).

    Attributes:
        effective_beta: Beta of the effective number: 0 weights all images alike; towards 1 the
            weight becomes the inverse of the class's size.
    """

    kind: str = "effective"
    effective_beta: float = 0.999

    def __post_init__(self) -> None:
        self.demand(0 <= self.effective_beta < 1, "effective_beta", "within 0 to below 1")


WEIGHTINGS = Kinds(
    "weighting",
    Weighting,
    {"none": Weighting, "balanced": Inverse, "effective": EffectiveNumber},
)
