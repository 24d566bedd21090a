"""The loss."""

from __future__ import annotations

from dataclasses import dataclass

from spaces.sections.section import Kinds, Section


@dataclass(frozen=True, kw_only=True)
class Loss(Section):
    """What every loss has.

    Attributes:
        label_smoothing: Share of the target that is spread over all classes, in [0, 1).
    """

    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        self.demand(0 <= self.label_smoothing < 1, "label_smoothing", "within 0 to below 1")


@dataclass(frozen=True, kw_only=True)
class CrossEntropy(Loss):
    """Cross entropy."""

    kind: str = "cross_entropy"


@dataclass(frozen=True, kw_only=True)
class Focal(Loss):
    """Cross entropy that counts easy images less (Lin et al., ICCV 2017).

    Attributes:
        gamma: How much less; 0 is cross entropy.
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


LOSSES = Kinds(
    "loss",
    Loss,
    {"cross_entropy": CrossEntropy, "focal": Focal, "binary": Binary, "soft_f1": SoftF1},
    own=Loss,
)
