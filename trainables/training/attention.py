"""Attention maps of a network: where in an image it sees what speaks for its labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from spaces.errors import InputError


def attention(model: torch.nn.Module, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Class activation maps (Zhou et al., CVPR 2016) of the labels that images have.

    Normalisation and dropout behave as in prediction and learn nothing of it.

    Args:
        model: A network that `check_attention` lets through.
        images: Normalised, float (n, 3, height, width).
        targets: Labels, float (n, classes).

    Returns:
        float (n, height, width): shares of what speaks for an image's labels, which add up to 1;
        even ones where nothing does.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    with torch.no_grad():
        features = _forward_features(model)(images).relu()
    for module, mode in modes:
        module.training = mode
    weights = targets.to(features.dtype) @ _head(model).weight.detach()  # (n, channels)
    maps = torch.einsum("nchw,nc->nhw", features, weights.to(features.dtype)).float()
    size = (images.shape[-2], images.shape[-1])
    maps = functional.interpolate(maps[:, None], size, mode="bilinear", align_corners=False)[:, 0]
    maps = maps - maps.amin(dim=(1, 2), keepdim=True)
    total = maps.sum(dim=(1, 2), keepdim=True)
    even = torch.full_like(maps, 1 / maps[0].numel())
    return torch.where(total > 0, maps / total.clamp_min(torch.finfo(maps.dtype).tiny), even)


def check_attention(model: torch.nn.Module, size: tuple[int, int], place: str) -> None:
    """Raises InputError unless a network has maps of features below a linear head.

    Args:
        model: The network; on torch's ``meta`` device nothing is computed.
        size: Height and width in pixels of what it sees.
        place: What asks for its attention, for messages.
    """
    found = getattr(model, "forward_features", None)
    head = model.get_classifier() if hasattr(model, "get_classifier") else None  # type: ignore[operator]
    shape: tuple[int, ...] = ()
    if callable(found) and isinstance(head, torch.nn.Linear):
        with torch.no_grad():
            shape = tuple(found(torch.zeros(2, 3, *size, device=head.weight.device)).shape)
    if len(shape) != 4 or shape[1] != head.in_features:  # type: ignore[union-attr]
        raise InputError(
            f"{place} needs attention maps: a convolutional network of timm whose head is linear, "
            "such as resnet18, efficientnet_b0, convnext_tiny or densenet121"
        )


def _forward_features(model: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    return model.forward_features  # type: ignore[no-any-return]


def _head(model: Any) -> torch.nn.Linear:
    return model.get_classifier()  # type: ignore[no-any-return]
