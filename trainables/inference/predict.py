"""Predictions of a network for stored images."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from trainables.data.loader import Batch
from trainables.networks.networks import BuildModel
from trainables.networks.timm_network import normalisation
from trainables.portable.activations import ACTIVATIONS
from trainables.training.averages import WEIGHTS
from trainables.training.checkpoint import Checkpoint
from trainables.training.device import MEMORY_FORMAT, Device


def to_input(pictures: torch.Tensor, model: torch.nn.Module, device: Device) -> torch.Tensor:
    """Moves uint8 (n, height, width, 3) to the device as normalised float (n, 3, height, width)."""
    mean, std = (v.to(device.target) for v in normalisation(model))
    batch = pictures.to(device.target, non_blocking=True).to(torch.float32)
    batch = ((batch - mean) / std).permute(0, 3, 1, 2)
    return batch.contiguous(memory_format=MEMORY_FORMAT)


def load_trained(
    config: TrialConfig, folder: Path, classes: int, build: BuildModel
) -> torch.nn.Module:
    """Builds a trial's network with the weights of its newest checkpoint, on the CPU.

    Args:
        config: The trial's configuration.
        folder: The trial's folder.
        classes: Number of classes.
        build: Builds the network.

    Raises:
        InputError: If there is no checkpoint of this trial.
    """
    checkpoint, notes = Checkpoint.newest(folder, config)
    if checkpoint is None:
        raise InputError("; ".join([f"{folder} has no checkpoint of this trial", *notes]))
    model = build(config.replace(pretrained=False, weights=""), classes)
    average = checkpoint.states["average"]
    model.load_state_dict(average.get(WEIGHTS, checkpoint.states["model"]))
    return model.eval()


@torch.inference_mode()
def predict(
    model: torch.nn.Module,
    batches: Iterable[Batch],
    device: Device,
    activation: str,
    beat: Callable[[], None] = lambda: None,
) -> NDArray[np.float32]:
    """Predicts stored images.

    Args:
        model: The network.
        batches: Images, as the evaluation loader makes them.
        device: Where to compute.
        activation: From outputs to predictions, by name.
        beat: Called at every batch.

    Returns:
        float32 (n, classes), in the order of the loader.
    """
    model.eval()
    found = []
    for pictures, _ in batches:
        beat()
        scope: AbstractContextManager[None] = device.autocast()
        with scope:
            logits = model(to_input(pictures, model, device))
        found.append(ACTIVATIONS[activation](logits).cpu().numpy())
    return np.concatenate(found)
