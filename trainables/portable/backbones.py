"""Networks from timm's backbones: one of them with a head, or several side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from . import torchvision_cure  # noqa: F401 (has to come before timm)

# isort: split
import timm
from timm.models import group_parameters

JOINT = "+"
"""Between the names of backbones that stand side by side."""

Create = Callable[..., torch.nn.Module]
"""Makes a backbone as ``timm.create_model`` does."""


def build_timm(
    config: dict[str, Any], classes: int, create: Create = timm.create_model
) -> torch.nn.Module:
    """Builds one backbone, or several side by side, with a head for ``classes``.

    Args:
        config: A configuration in its JSON form: its sections ``model`` and ``data``.
        classes: Number of outputs.
        create: Makes a backbone.
    """
    settings, size = config["model"], tuple(config["data"]["size"])
    names = settings["backbone"].split(JOINT)
    alone = len(names) == 1
    head = {"num_classes": classes, "drop_rate": settings["dropout"]} if alone else _HEADLESS
    made = []
    for name in names:
        options = dict(head)
        if timm.get_pretrained_cfg_value(name, "fixed_input_size"):
            options["img_size"] = size
        if settings["drop_path"]:
            options["drop_path_rate"] = settings["drop_path"]
        made.append(create(name, **options))
    return made[0] if alone else SideBySide(made, classes, settings["dropout"])


_HEADLESS: dict[str, Any] = {"num_classes": 0}


class SideBySide(torch.nn.Module):
    """Several backbones that see the same image, and one linear head on all of their features.

    Args:
        backbones: timm's, without heads.
        classes: Number of outputs.
        dropout: Rate before the head.
    """

    def __init__(self, backbones: Sequence[torch.nn.Module], classes: int, dropout: float) -> None:
        super().__init__()
        self.backbones = torch.nn.ModuleList(backbones)
        features = sum(_features(backbone) for backbone in backbones)
        self.drop = torch.nn.Dropout(dropout)
        self.head = torch.nn.Linear(features, classes)
        self.pretrained_cfg = {**_about(backbones[0]), "classifier": "head"}
        first_mean, first_std = _colours(backbones[0])
        for number, backbone in enumerate(backbones):
            mean, std = _colours(backbone)
            scale, shift = first_std / std, (first_mean - mean) / std
            self.register_buffer(f"scale{number}", scale, persistent=False)
            self.register_buffer(f"shift{number}", shift, persistent=False)

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        """All pooled features (n, features) of images that are normalised for the first."""
        found = []
        for number, backbone in enumerate(self.backbones):
            scale, shift = getattr(self, f"scale{number}"), getattr(self, f"shift{number}")
            found.append(backbone(images * scale + shift))
        return torch.cat(found, dim=1)

    def forward_head(self, features: torch.Tensor, pre_logits: bool = False) -> torch.Tensor:
        """The features, or the logits (n, classes) that follow from them."""
        return features if pre_logits else self.head(self.drop(features))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits (n, classes)."""
        return self.forward_head(self.forward_features(images))

    def group_matcher(self, coarse: bool = False) -> Callable[[str], int]:
        """Layers by parameter, as timm's networks tell them: those as far from the head are one."""
        layers: dict[str, int] = {}
        for number, backbone in enumerate(self.backbones):
            assert callable(backbone.group_matcher)
            own = group_parameters(backbone, backbone.group_matcher(coarse), reverse=True)
            last = max(own.values())
            layers |= {f"backbones.{number}.{name}": at - last for name, at in own.items()}
        return lambda name: layers.get(name, 1)


def _features(backbone: Any) -> int:
    """Numbers that a backbone without a head tells of an image."""
    return int(getattr(backbone, "head_hidden_size", None) or backbone.num_features)


def _about(backbone: torch.nn.Module) -> dict[str, Any]:
    return dict(backbone.pretrained_cfg)  # type: ignore[arg-type]


def _colours(backbone: torch.nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation that a backbone expects, (3, 1, 1) each."""
    mean, std = (torch.tensor(_about(backbone)[what]) for what in ("mean", "std"))
    return mean.reshape(3, 1, 1), std.reshape(3, 1, 1)
