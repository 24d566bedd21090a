"""The optimizer."""

from __future__ import annotations

from dataclasses import dataclass

from spaces.sections.section import Kinds, Section


@dataclass(frozen=True, kw_only=True)
class Optimizer(Section):
    """What every optimizer has.

    Attributes:
        lr: Peak learning rate.
        weight_decay: Weight decay; decoupled if the optimizer does so.
        clip_grad: Largest gradient norm; 0 switches clipping off.
        layer_decay: Factor on the learning rate from one layer of timm's backbone to the one before
            it; the head has the full rate. 1 is the same for all.
        lookahead: Steps after which the weights go halfway back to where they were (Lookahead;
            Zhang et al., NeurIPS 2019); 0 switches it off.
        sam_radius: Radius of sharpness-aware minimisation, which finds flat minima in twice the
            time (SAM; Foret et al., ICLR 2021); 0 switches it off, 0.05 is usual.
    """

    lr: float = 1e-3
    weight_decay: float = 0.05
    clip_grad: float = 1.0
    layer_decay: float = 1.0
    lookahead: int = 0
    sam_radius: float = 0.0

    def __post_init__(self) -> None:
        self.demand(bool(self.kind), "kind", "the name of an optimizer")
        self.demand(0 < self.lr < 100, "lr", "above 0 and below 100")
        self.demand(0 <= self.weight_decay < 10, "weight_decay", "within 0 to below 10")
        self.demand(self.clip_grad >= 0, "clip_grad", "0 or more")
        self.demand(0 < self.layer_decay <= 1, "layer_decay", "above 0 and at most 1")
        self.demand(self.lookahead >= 0, "lookahead", "0 or more")
        self.demand(0 <= self.sam_radius <= 10, "sam_radius", "within 0 to 10")


@dataclass(frozen=True, kw_only=True)
class Adaptive(Optimizer):
    """Adam-like optimizers, whose learning rates share a scale.

    Attributes:
        beta2: Decay of the average of squared gradients.
    """

    kind: str = "adamw"
    beta2: float = 0.999

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(0 < self.beta2 < 1, "beta2", "between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class Lion(Optimizer):
    """Steps of the same length for every weight (Chen et al., NeurIPS 2023).

    Its learning rate is three to ten times smaller than Adam's, its weight decay as much larger.
    """

    kind: str = "lion"


@dataclass(frozen=True, kw_only=True)
class Momentum(Optimizer):
    """SGD with Nesterov's momentum, and any other of timm's optimizers by its name.

    Attributes:
        momentum: Decay of the average of gradients.
    """

    kind: str = "sgd"
    momentum: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(0 <= self.momentum < 1, "momentum", "within 0 to below 1")


ADAPTIVE = ("adam", "adamax", "adamp", "adamw", "lamb", "nadamw", "radam")
"""Optimizers whose learning rate lives on Adam's scale."""

OPTIMIZERS = Kinds(
    "optimizer",
    Optimizer,
    {**dict.fromkeys(ADAPTIVE, Adaptive), "lion": Lion, "sgd": Momentum},
    other=Momentum,
)
