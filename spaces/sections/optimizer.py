"""The optimizer."""

from __future__ import annotations

from dataclasses import dataclass

from spaces.sections.section import Kinds, Section


@dataclass(frozen=True, kw_only=True)
class Optimizer(Section):
    """What every optimizer has.

    Attributes:
        lr: Peak learning rate.
        weight_decay: Decoupled where the optimizer does so.
        clip_grad: Largest gradient norm; 0 switches clipping off.
    """

    lr: float = 1e-3
    weight_decay: float = 0.05
    clip_grad: float = 1.0

    def __post_init__(self) -> None:
        self.demand(bool(self.kind), "kind", "the name of an optimizer")
        self.demand(0 < self.lr < 100, "lr", "above 0 and below 100")
        self.demand(0 <= self.weight_decay < 10, "weight_decay", "within 0 to below 10")
        self.demand(self.clip_grad >= 0, "clip_grad", "0 or more")


@dataclass(frozen=True, kw_only=True)
class Adaptive(Optimizer):
    """Adam-like optimizers, whose learning rates share a scale.

    Attributes:
        beta2: Decay of the squared gradients' average.
    """

    kind: str = "adamw"
    beta2: float = 0.999

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(0 < self.beta2 < 1, "beta2", "between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class Momentum(Optimizer):
    """SGD, and any other of timm's optimizers by its name.

    Attributes:
        momentum: Decay of the gradients' average.
    """

    kind: str = "sgd"
    momentum: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(0 <= self.momentum < 1, "momentum", "within 0 to below 1")


ADAPTIVE = ("adamw", "lamb", "nadamw")
"""Optimizers whose learning rate lives on Adam's scale."""

OPTIMIZERS = Kinds(
    "optimizer",
    Optimizer,
    {**dict.fromkeys(ADAPTIVE, Adaptive), "sgd": Momentum},
    other=Momentum,
)
