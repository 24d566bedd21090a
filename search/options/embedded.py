"""Options of the embedded contests; trainables/data/embedded.py makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from search.options.groups import DataConfig

_COMMON = {"backbone": "test_resnet", "lr": 5e-3, "batch": 32}
"""Of baselines that a CPU trains in seconds, or a minute."""


@dataclass(kw_only=True)
class DigitsConfig(DataConfig):
    """Digits seen by a simulated camera."""

    name: str = "digits"
    baseline: dict[str, Any] = field(default_factory=lambda: {**_COMMON, "size": 32, "epochs": 12})


@dataclass(kw_only=True)
class MasksConfig(DataConfig):
    """Drawn faces with masks, several pictures of a person."""

    name: str = "masks"
    baseline: dict[str, Any] = field(default_factory=lambda: {**_COMMON, "size": 64, "epochs": 20})


@dataclass(kw_only=True)
class ShapesConfig(DataConfig):
    """Drawn scenes with masks, in sequences."""

    name: str = "shapes"
    mask: str = "mask"
    background: str = "background"
    classes: list[str] = field(
        default_factory=lambda: ["background", "disc", "dot", "line", "patch"]
    )
    group: str = "sequence"
    baseline: dict[str, Any] = field(
        default_factory=lambda: {
            **_COMMON,
            "batch": 16,
            "size": "96x128",
            "epochs": 12,
            "decoder": "fpn",
            "decoder_width": 0.5,
        }
    )


EMBEDDED: Mapping[str, type[DataConfig]] = MappingProxyType(
    {"digits": DigitsConfig, "masks": MasksConfig, "shapes": ShapesConfig}
)
"""By the name that ``data=`` takes; the first is the default."""

DEFAULT = next(iter(EMBEDDED))
"""What commands do without ``data=``."""

CHOICES = f"{' or '.join(EMBEDDED)} (embedded), csv, or <file> of --config-dir's data/ folder"
"""What --help says of ``data=``."""


def embedded_name(data: DataConfig) -> str:
    """The name of the embedded contest that is to be made; empty where a folder is given."""
    names = [name for name, kind in EMBEDDED.items() if type(data) is kind]
    return names[0] if names and not data.root else ""
