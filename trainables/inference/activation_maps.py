"""Class activation maps: which parts of an image speak for its class."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from spaces.errors import InputError
from trainables.inference.predict import to_input
from trainables.portable.committee import last_of
from trainables.training.device import Device


def activation_maps(
    model: torch.nn.Module, pictures: torch.Tensor, labels: NDArray[np.int64], device: Device
) -> NDArray[np.float32]:
    """Grad-CAM of a backbone's last features (Selvaraju et al., ICCV 2017).

    It is of how far the class's logit lies above the mean of all, since softmax sees no more of
    them. Where features are pooled and go into a linear head, it is the plain CAM (Zhou et al.,
    CVPR 2016).

    Args:
        model: One of timm's networks, ready to evaluate; of several that predict together the last.
        pictures: uint8 (n, height, width, 3).
        labels: int (n,), the class that a map is of.
        device: Where to compute.

    Returns:
        float32 (n, h, w), as large as the features: 0 where nothing speaks for the class, and 1
        where most does, unless nothing does at all.

    Raises:
        InputError: If the network keeps no features in their places.
    """
    network: Any = last_of(model)
    if not hasattr(network, "forward_features") or not hasattr(network, "forward_head"):
        raise InputError("class activation maps need one of timm's networks")
    with torch.no_grad():
        features = network.forward_features(to_input(pictures, model, device))
    if not isinstance(features, torch.Tensor) or features.ndim != 4:
        raise InputError(
            "class activation maps need features in their places, such as one network of "
            "convolutions has"
        )
    features = features.detach().requires_grad_()
    logits = network.forward_head(features)
    chosen = torch.from_numpy(labels).to(logits.device)[:, None]
    above = logits.gather(1, chosen) - logits.mean(dim=1, keepdim=True)
    (slopes,) = torch.autograd.grad(above.sum(), features)
    across = (1, 2) if getattr(network, "output_fmt", "NCHW") == "NHWC" else (2, 3)
    weights = slopes.mean(dim=across, keepdim=True)
    maps = torch.relu((weights * features).sum(dim=3 if across == (1, 2) else 1)).detach()
    largest = maps.flatten(1).amax(dim=1)[:, None, None]
    maps = torch.where(largest > 0, maps / largest.clamp_min(1e-12), 0)
    found: NDArray[np.float32] = maps.float().cpu().numpy()
    return found
