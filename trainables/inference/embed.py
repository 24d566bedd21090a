"""Embeddings of images: what a network sees before its last layer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from spaces.trial_config import TrialConfig
from trainables.inference.predict import read_pictures, to_input
from trainables.training.device import Device

BATCH = 128


@torch.inference_mode()
def embed(
    model: torch.nn.Module, config: TrialConfig, paths: Sequence[Path]
) -> NDArray[np.float32]:
    """Embeds images: timm's pooled features, or the outputs of a network that is not timm's.

    Args:
        model: The network.
        config: Its image size and precision.
        paths: Image files.

    Returns:
        float32 (n, features).
    """
    device = Device.pick(config)
    model = model.to(device.target)
    model.eval()
    pooled = hasattr(model, "forward_features") and hasattr(model, "forward_head")
    found = []
    for start in range(0, len(paths), BATCH):
        pictures = torch.from_numpy(read_pictures(paths[start : start + BATCH], config))
        with device.autocast():
            batch = to_input(pictures, model, device)
            if pooled:
                features = model.forward_head(model.forward_features(batch), pre_logits=True)  # type: ignore[operator]
            else:
                features = model(batch)
        found.append(features.float().flatten(1).cpu().numpy())
    return np.concatenate(found)
