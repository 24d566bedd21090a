"""Networks as an export builds them, from configurations in their JSON form."""

from __future__ import annotations

from typing import Any

import torch

from .backbones import build_timm


def build_network(config: dict[str, Any], classes: int) -> torch.nn.Module:
    """Builds timm's backbones with a head for ``classes``, or one with a decoder for masks.

    Args:
        config: A configuration in its JSON form.
        classes: Number of outputs.
    """
    if config["model"]["kind"] == "smp":
        from .smp_network import encoder_decoder  # a library that only masks need

        return encoder_decoder(config, classes)
    return build_timm(config, classes)
