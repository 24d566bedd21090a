"""Class probabilities of a network for stored images."""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np
import torch
from numpy.typing import NDArray

from trainables.device import Device
from trainables.loader import Batch
from trainables.model import normalisation


def to_input(pictures: torch.Tensor, model: torch.nn.Module, device: Device) -> torch.Tensor:
    """Moves uint8 (n, height, width, 3) to the device as normalised float (n, 3, height, width)."""
    mean, std = (v.to(device.target) for v in normalisation(model))
    batch = pictures.to(device.target, non_blocking=True).to(torch.float32)
    batch = ((batch - mean) / std).permute(0, 3, 1, 2)
    return batch.contiguous(memory_format=device.memory_format)


@torch.inference_mode()
def predict(
    model: torch.nn.Module, batches: torch.utils.data.DataLoader[Batch], device: Device
) -> NDArray[np.float32]:
    """Returns float32 (n, classes), the softmax of the logits, in the order of the loader."""
    model.eval()
    found = []
    for pictures, _ in batches:
        scope: AbstractContextManager[None] = device.autocast()
        with scope:
            logits = model(to_input(pictures, model, device))
        found.append(torch.softmax(logits.float(), dim=1).cpu().numpy())
    return np.concatenate(found)
