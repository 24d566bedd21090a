"""The network and its first weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from spaces.sections.section import Kinds, Section

IN_TRAINING = frozenset(
    {
        *("pretrained", "weights", "dropout", "drop_path", "frozen_epochs", "fresh_layers"),
        "aux_weight",
    }
)
"""Settings that say how a network is trained, and change nothing of what it costs to predict."""


@dataclass(frozen=True, kw_only=True)
class Model(Section):
    """What every network has.

    Attributes:
        pretrained: Whether to download pretrained weights.
        weights: Path of local weights in safetensors, or empty.
        dropout: Dropout rate before the head.
    """

    pretrained: bool = False
    weights: str = ""
    dropout: float = 0.0

    def __post_init__(self) -> None:
        self.demand(0 <= self.dropout < 1, "dropout", "within 0 to below 1")


@dataclass(frozen=True, kw_only=True)
class Timm(Model):
    """A backbone of timm with a fresh head.

    Attributes:
        backbone: timm model name; several joined by ``+`` run side by side.
        drop_path: Rate at which whole blocks are skipped in training (stochastic depth).
        frozen_epochs: First epochs, in which only the head learns.
        fresh_layers: How many of the last layers start from scratch despite ``weights`` or
            ``pretrained``: 1 is the head, 2 also the layer before it.
    """

    kind: str = "timm"
    backbone: str = "resnet18"
    drop_path: float = 0.0
    frozen_epochs: int = 0
    fresh_layers: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(all(self.backbone.split("+")), "backbone", "a timm model name, or a+b")
        self.demand(0 <= self.drop_path < 1, "drop_path", "within 0 to below 1")
        self.demand(self.frozen_epochs >= 0, "frozen_epochs", "0 or more")
        self.demand(self.fresh_layers >= 0, "fresh_layers", "0 or more")
        if not (self.pretrained or self.weights):
            object.__setattr__(self, "fresh_layers", 0)


Decoder = Literal[
    "unet",
    "unetplusplus",
    "fpn",
    "deeplabv3plus",
    "pspnet",
    "manet",
    "linknet",
    "segformer",
    "upernet",
]


@dataclass(frozen=True, kw_only=True)
class Smp(Model):
    """A backbone of timm as encoder, and a decoder of segmentation-models-pytorch, for masks.

    Attributes:
        backbone: timm model name.
        decoder: Architecture of the decoder.
        decoder_width: Factor on the decoder's usual number of channels.
        aux_weight: Weight in the loss of an auxiliary head that predicts, from the encoder's last
            features, which classes occur in the image; 0 for no such head.
    """

    kind: str = "smp"
    backbone: str = "resnet18"
    decoder: Decoder = "unet"
    decoder_width: float = 1.0
    aux_weight: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(bool(self.backbone), "backbone", "a timm model name")
        self.demand(0 < self.decoder_width <= 4, "decoder_width", "above 0, at most 4")
        self.demand(0 <= self.aux_weight <= 10, "aux_weight", "within 0 to 10")


MODELS = Kinds("model", Model, {"timm": Timm, "smp": Smp}, own=Model)
