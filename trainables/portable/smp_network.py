"""Encoders of timm with decoders of segmentation-models-pytorch, in training and in an export."""

from __future__ import annotations

import inspect
from typing import Any

import torch

from . import torchvision_cure  # noqa: F401 (has to come before timm)

# isort: split
import segmentation_models_pytorch as smp
import timm

STRIDE = 32
"""Height and width have to be multiples of it: the encoder halves five times."""

WIDTHS = (
    "decoder_channels",
    "decoder_pyramid_channels",
    "decoder_segmentation_channels",
    "psp_out_channels",
)
"""What decoders call their numbers of channels."""

EIGHTS, GROUPS = 8, {"decoder_segmentation_channels": 32}
"""What these are multiples of; some are normalised in groups."""


def encoder_decoder(config: dict[str, Any], classes: int) -> torch.nn.Module:
    """Builds a network whose logits are (n, classes, height, width), without trained weights.

    With an auxiliary head it returns these and, of which classes occur in an image, logits (n,
    classes).

    Args:
        config: A configuration in its JSON form: backbone, decoder, its width, auxiliary head and
            dropout of its model, and the size of images, which some backbones are built for.
        classes: Number of outputs per pixel.

    Raises:
        ValueError: If the backbone does not go with the decoder.
    """
    settings = config["model"]
    name, decoder = settings["backbone"], settings["decoder"]
    kind = smp.MODEL_ARCHITECTURES_MAPPING[decoder]
    options = _widths(kind, settings["decoder_width"])
    if settings["aux_weight"]:
        options["aux_params"] = {"classes": classes, "dropout": settings["dropout"]}
    if timm.get_pretrained_cfg_value(name, "fixed_input_size"):
        options["img_size"] = tuple(config["data"]["size"])
    try:
        model = kind(encoder_name=f"tu-{name}", encoder_weights=None, classes=classes, **options)
    except (ValueError, RuntimeError, AssertionError, TypeError, KeyError) as error:
        reason = (str(error).splitlines() or [""])[0] or type(error).__name__
        raise ValueError(f"backbone={name} does not go with decoder={decoder}: {reason}") from error
    if settings["dropout"]:
        model.segmentation_head.insert(0, torch.nn.Dropout2d(settings["dropout"]))
    model.pretrained_cfg = model.encoder.model.pretrained_cfg  # what images it expects
    assert isinstance(model, torch.nn.Module)
    return model


def _widths(kind: type[torch.nn.Module], factor: float) -> dict[str, Any]:
    """Numbers of channels of a decoder, times a factor, in eights or whole groups."""
    if factor == 1:
        return {}
    defaults = {name: p.default for name, p in inspect.signature(kind).parameters.items()}

    def scaled(value: Any, unit: int) -> Any:
        if isinstance(value, int):
            return max(unit, round(value * factor / unit) * unit)
        return type(value)(scaled(part, unit) for part in value)

    return {
        name: scaled(defaults[name], GROUPS.get(name, EIGHTS))
        for name in WIDTHS
        if name in defaults
    }
