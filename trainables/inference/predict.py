"""Predictions of a network for stored images."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from results.masks.planes import Planes
from results.predictions import Head
from spaces.augmentation.stress import Stress
from spaces.errors import InputError
from spaces.sections.data import Windows
from spaces.trial_config import TrialConfig
from trainables.data.image_store import ImageStore
from trainables.data.loader import evaluation_batch, evaluation_loader
from trainables.inference.views import look_at
from trainables.networks.networks import BuildModel
from trainables.networks.timm_network import normalisation
from trainables.portable.activations import ACTIVATIONS
from trainables.portable.windows import predicted
from trainables.tasks.task import TrainingTask
from trainables.training.averages import WEIGHTS
from trainables.training.checkpoint import Checkpoint
from trainables.training.device import MEMORY_FORMAT, Device
from trainables.training.training_error import TrainingError


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


def predict(
    model: torch.nn.Module,
    config: TrialConfig,
    store: ImageStore,
    rows: NDArray[np.int64],
    device: Device,
    task: TrainingTask,
    *,
    workers: int = 0,
    view: str = "",
    stress: Stress | None = None,
    beat: Callable[[], None] = lambda: None,
) -> Head:
    """Predicts stored images.

    Args:
        model: The network.
        config: How it sees images.
        store: Images.
        rows: Which of them.
        device: Where to compute.
        task: What the outputs mean.
        workers: Loader processes.
        view: One of `trainables.inference.views.VIEWS` in which they are looked at, or empty.
        stress: Under which they are looked at; None for none.
        beat: Called at every batch.

    Returns:
        What is predicted of each image, in the order of the rows.

    Raises:
        TrainingError: If predictions are not finite.
    """
    model.eval()

    def forward(pictures: torch.Tensor) -> NDArray[np.float32]:
        beat()
        return probabilities(model, pictures, device, task.activation)

    if isinstance(config.data, Windows):
        found: Head = Planes.of(
            windows_of(look_at(store.pixels[row], view, config.data), config, forward)
            for row in rows.tolist()
        )
    else:
        batches = evaluation_loader(config, store, rows, workers, view, stress)
        found = task.gathered(forward(batch.pictures) for batch in batches)
    return task.undo(view, found)


def windows_of(
    picture: NDArray[np.uint8],
    config: TrialConfig,
    forward: Callable[[torch.Tensor], NDArray[np.float32]],
) -> NDArray[np.uint8]:
    """Predicts an image of any size in windows: probabilities in 255ths, (height, width, classes).

    Args:
        picture: uint8 (height, width, 3).
        config: Size, scale and overlap of the windows.
        forward: From pictures to probabilities (n, classes, height, width).
    """
    settings = config.data
    assert isinstance(settings, Windows)
    return predicted(
        picture,
        lambda cut: forward(torch.from_numpy(cut)),
        window=settings.prediction_size,
        scale=settings.window_scale,
        overlap=settings.window_overlap,
        how=settings.window_weights,
        batch=evaluation_batch(config),
    )


@torch.inference_mode()
def probabilities(
    model: torch.nn.Module, pictures: torch.Tensor, device: Device, activation: str
) -> NDArray[np.float32]:
    """What a network, ready to evaluate, makes of pictures: float32 (n, classes, …).

    Raises:
        TrainingError: If that is not finite.
    """
    scope: AbstractContextManager[None] = device.autocast()
    with scope:
        logits = model(to_input(pictures, model, device))
    found: NDArray[np.float32] = ACTIVATIONS[activation](logits).cpu().numpy()
    if not np.isfinite(found).all():
        raise TrainingError("predicted probabilities are not finite")
    return found
