"""The loss."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from spaces.errors import InputError, unknown
from spaces.sections.section import Kinds, Section

_TERM = re.compile(r"\s*(?:(\d+(?:\.\d*)?|\.\d+)\s*\*?\s*)?([a-z]\w*)\s*")
"""A weight, which may be left out, and a loss."""


@dataclass(frozen=True, kw_only=True)
class Loss(Section):
    """What every loss has.

    Attributes:
        label_smoothing: Share of the target spread over all classes, in [0, 1).
    """

    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        self.demand(0 <= self.label_smoothing < 1, "label_smoothing", "within 0 to below 1")

    @property
    def for_masks(self) -> bool:
        """Whether classes of whole images have no such loss."""
        return False


@dataclass(frozen=True, kw_only=True)
class CrossEntropy(Loss):
    """Cross entropy."""

    kind: str = "cross_entropy"


@dataclass(frozen=True, kw_only=True)
class Focal(Loss):
    """Cross entropy that counts easy images less (Lin et al., ICCV 2017).

    Attributes:
        gamma: How much less easy images count; 0 is cross entropy.
    """

    kind: str = "focal"
    gamma: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(0 <= self.gamma <= 10, "gamma", "within 0 to 10")


@dataclass(frozen=True, kw_only=True)
class Binary(Loss):
    """Every class against all others (Wightman et al., ResNet strikes back, 2021)."""

    kind: str = "binary"


@dataclass(frozen=True, kw_only=True)
class SoftF1(Loss):
    """Macro F1 with probabilities in place of counts, beside cross entropy.

    Attributes:
        f1_share: Share of the F1 part in the sum, in [0, 1].
    """

    kind: str = "soft_f1"
    f1_share: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(0 <= self.f1_share <= 1, "f1_share", "within 0 to 1")


@dataclass(frozen=True, kw_only=True)
class MaskLoss(Loss):
    """One that is for masks only."""

    @property
    def for_masks(self) -> bool:
        """It has."""
        return True


@dataclass(frozen=True, kw_only=True)
class Region(MaskLoss):
    """Areas of masks, beside cross entropy: Dice, Jaccard or Lovász.

    Attributes:
        entropy_share: Share of cross entropy in the sum, in [0, 1].
    """

    kind: str = "dice"
    entropy_share: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(0 <= self.entropy_share <= 1, "entropy_share", "within 0 to 1")


@dataclass(frozen=True, kw_only=True)
class Tversky(Region):
    """Areas of masks, of which what is too much and what is missing count differently.

    Attributes:
        tversky_alpha: Weight of pixels predicted but wrong; 0.5 for both weights is Dice.
        tversky_beta: Weight of missed pixels.
        tversky_gamma: Exponent of the loss, as in focal losses; 1 changes nothing.
    """

    kind: str = "tversky"
    tversky_alpha: float = 0.3
    tversky_beta: float = 0.7
    tversky_gamma: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("tversky_alpha", "tversky_beta"):
            self.demand(0 < getattr(self, name) <= 10, name, "above 0, to 10")
        self.demand(0.1 <= self.tversky_gamma <= 10, "tversky_gamma", "within 0.1 to 10")


@dataclass(frozen=True, kw_only=True)
class Boundary(MaskLoss):
    """Cross entropy of masks that counts pixels beside boundaries more.

    Attributes:
        boundary_weight: Weight of pixels near a boundary; the others have 1.
        boundary_width: Distance from the boundary, in pixels, within which they count as near.
    """

    kind: str = "boundary"
    boundary_weight: float = 5.0
    boundary_width: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(1 <= self.boundary_weight <= 100, "boundary_weight", "within 1 to 100")
        self.demand(1 <= self.boundary_width <= 50, "boundary_width", "within 1 to 50")


SINGLE: Mapping[str, type[Loss]] = {
    "cross_entropy": CrossEntropy,
    "focal": Focal,
    "binary": Binary,
    "soft_f1": SoftF1,
    "dice": Region,
    "jaccard": Region,
    "lovasz": Region,
    "tversky": Tversky,
    "boundary": Boundary,
}
"""What a sum may be of."""

ALONE = {"f1_share": 1.0, "entropy_share": 0.0}
"""Settings of those that have cross entropy beside them otherwise, in a sum."""


@dataclass(frozen=True, kw_only=True)
class Sum(Loss):
    """A weighted sum of other losses, in which those of areas and of F1 stand alone.

    Attributes:
        terms: The losses, each after its weight unless that is 1: ``cross_entropy + 0.5 dice``.
        gamma: As of ``focal``.
        tversky_alpha: As of ``tversky``.
        tversky_beta: As of ``tversky``.
        tversky_gamma: As of ``tversky``.
        boundary_weight: As of ``boundary``.
        boundary_width: As of ``boundary``.
    """

    kind: str = "sum"
    terms: str = "cross_entropy"
    gamma: float = Focal.gamma
    tversky_alpha: float = Tversky.tversky_alpha
    tversky_beta: float = Tversky.tversky_beta
    tversky_gamma: float = Tversky.tversky_gamma
    boundary_weight: float = Boundary.boundary_weight
    boundary_width: int = Boundary.boundary_width

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.weights:
            LOSSES.change(self, {"loss": name, **ALONE})

    @property
    def weights(self) -> Mapping[str, float]:
        """Weights by loss."""
        found: dict[str, float] = {}
        for term in self.terms.split("+"):
            match = _TERM.fullmatch(term)
            if match is None:
                raise InputError(
                    f"terms={self.terms}: {term.strip()!r} is no term; write losses, each after "
                    "its weight unless that is 1, such as cross_entropy + 0.5 dice"
                )
            weight, name = float(match[1] or 1), match[2]
            if name not in SINGLE:
                raise unknown("loss", name, SINGLE, f"terms={self.terms}")
            if name in found or not weight:
                raise InputError(f"terms={self.terms}: {name} once, and with a weight above 0")
            found[name] = weight
        return found

    @property
    def for_masks(self) -> bool:
        """Whether one of them is."""
        return any(issubclass(SINGLE[name], MaskLoss) for name in self.weights)


LOSSES = Kinds("loss", Loss, {**SINGLE, "sum": Sum}, own=Loss)
"""Losses over soft targets, a file each; registry: losses."""
