"""The network and its first weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from spaces.sections.section import Kinds, Section


@dataclass(frozen=True, kw_only=True)
class Model(Section):
    """What every network has.

    Attributes:
        pretrained: Whether weights are downloaded.
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
        backbone: timm model name.
    """

    kind: str = "timm"
    backbone: str = "resnet18"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(bool(self.backbone), "backbone", "a timm model name")


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
        decoder_width: Channels of the decoder over their usual number.
    """

    kind: str = "smp"
    backbone: str = "resnet18"
    decoder: Decoder = "unet"
    decoder_width: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(bool(self.backbone), "backbone", "a timm model name")
        self.demand(0 < self.decoder_width <= 4, "decoder_width", "above 0, at most 4")


MODELS = Kinds("model", Model, {"timm": Timm, "smp": Smp}, own=Model)
