"""Embeddings of images: what a network sees before its last layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from spaces.trial_config import TrialConfig
from trainables.data.image_store import ImageStore
from trainables.data.loader import evaluation_loader
from trainables.inference.predict import to_input
from trainables.portable.committee import last_of
from trainables.training.device import Device


@torch.inference_mode()
def embed(
    model: torch.nn.Module, config: TrialConfig, store: ImageStore, rows: Sequence[int]
) -> NDArray[np.float32]:
    """Embeds images: timm's pooled features, or the outputs of a network that is not timm's.

    Args:
        model: The network; of several that predict together the last.
        config: Its image size, batch and precision.
        store: Images.
        rows: Which of them.

    Returns:
        float32 (n, features).
    """
    device = Device.pick(config)
    model = device.placed(last_of(model))
    model.eval()
    pooled = hasattr(model, "forward_features") and hasattr(model, "forward_head")
    found = []
    for batch in evaluation_loader(config, store, rows, 0):
        with device.autocast():
            inputs = to_input(batch.pictures, model, device)
            if hasattr(model, "encoder"):  # of masks: what the deepest features are on average
                features = model.encoder(inputs)[-1].mean(dim=(2, 3))  # type: ignore[operator]
            elif pooled:
                features = model.forward_head(model.forward_features(inputs), pre_logits=True)  # type: ignore[operator]
            else:
                features = model(inputs)
        found.append(features.float().flatten(1).cpu().numpy())
    return np.concatenate(found)
