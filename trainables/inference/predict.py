"""Predictions of a network for stored images."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from results.masks.planes import Planes
from results.predictions import OCCURS, Head
from spaces.augmentation.stress import Stress
from spaces.errors import InputError
from spaces.sections.data import Windows
from spaces.trial_config import TrialConfig
from trainables.data.image_store import ImageStore
from trainables.data.loader import evaluation_batch, evaluation_loader
from trainables.inference.views import look, look_at
from trainables.networks.networks import BuildModel
from trainables.networks.timm_network import normalisation
from trainables.portable.activations import ACTIVATIONS, outputs_apart
from trainables.portable.committee import committee_of
from trainables.portable.preparation import Picture
from trainables.portable.views import view_of
from trainables.portable.windows import predicted
from trainables.tasks.task import TrainingTask
from trainables.training.averages import ACTIVATION, WEIGHTS
from trainables.training.checkpoint import Checkpoint
from trainables.training.device import MEMORY_FORMAT, Device
from trainables.training.training_error import TrainingError


def to_input(pictures: torch.Tensor, model: torch.nn.Module, device: Device) -> torch.Tensor:
    """Moves uint8 (n, height, width, 3) to the device as normalised float (n, 3, height, width)."""
    mean, std = (_held(tuple(v.tolist()), device.target) for v in normalisation(model))
    batch = pictures.to(device.target, non_blocking=True).to(torch.float32)
    batch = ((batch - mean) / std).permute(0, 3, 1, 2)
    return batch.contiguous(memory_format=MEMORY_FORMAT)


@functools.lru_cache(maxsize=32)
def _held(values: tuple[float, ...], target: torch.device) -> torch.Tensor:
    """Numbers on a device, copied once: a copy for every batch would wait for all before it."""
    return torch.tensor(values, device=target)


def load_trained(
    config: TrialConfig, folder: Path, classes: int, build: BuildModel
) -> torch.nn.Module:
    """Builds what a trial's predictions are of, with the weights of its newest checkpoint, on the
    CPU: its network, or a committee of them.

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
    weights = average.get(WEIGHTS, checkpoint.states["model"])
    if ACTIVATION in average:
        model = committee_of(model, weights, average[ACTIVATION])
    model.load_state_dict(weights)
    return model.eval()


class Forward:
    """A network, ready to evaluate; keeps what an auxiliary head of it says of images.

    Args:
        model: The network.
        config: How it sees images.
        device: Where to compute.
        task: What the outputs mean.
        beat: Called at every batch.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        config: TrialConfig,
        device: Device,
        task: TrainingTask,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._model, self._config, self._device, self._task = model.eval(), config, device, task
        self._beat = beat
        self._occurs: list[NDArray[np.float32]] = []

    @torch.inference_mode()
    def __call__(self, pictures: torch.Tensor) -> NDArray[np.float32]:
        """What the network makes of pictures uint8 (n, height, width, 3): float32 (n, classes, …).

        Raises:
            TrainingError: If that is not finite.
        """
        self._beat()
        scope: AbstractContextManager[None] = self._device.autocast()
        with scope:
            outputs = self._model(to_input(pictures, self._model, self._device))
        logits, occurs = outputs_apart(outputs)
        found: NDArray[np.float32] = ACTIVATIONS[self._task.activation](logits).cpu().numpy()
        said = [] if occurs is None else [torch.sigmoid(occurs.float()).cpu().numpy()]
        if not all(np.isfinite(part).all() for part in (found, *said)):
            raise TrainingError("predicted probabilities are not finite")
        self._occurs += said
        return found

    def windows(self, picture: NDArray[np.uint8], view: str = "") -> NDArray[np.uint8]:
        """Predicts an image of any size in windows: probabilities in 255ths, (h, w, classes).

        A class occurs in it if it does in any of them.

        Args:
            picture: uint8 (height, width, 3), as it is seen in the view.
            view: Whose windows they are; empty for those of the image as it is.
        """
        settings = self._config.data
        assert isinstance(settings, Windows)
        before = len(self._occurs)
        own = settings.window_overlap, settings.window_weights
        overlap, how = view_of(view).windows(*own)
        found = predicted(
            picture,
            lambda cut: self(torch.from_numpy(cut)),
            window=settings.prediction_size,
            scale=settings.window_scale,
            overlap=overlap,
            how=how,
            batch=evaluation_batch(self._config),
        )
        if len(self._occurs) > before:
            seen = np.concatenate(self._occurs[before:])
            self._occurs[before:] = [seen.max(axis=0, keepdims=True)]
        return found

    def told(self, found: Head) -> dict[str, Head]:
        """What all calls came to, by name.

        Args:
            found: Predictions of their images.
        """
        said: dict[str, Head] = {self._task.head: found}
        if self._occurs:
            said[OCCURS] = np.concatenate(self._occurs)
        return said


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
    augmented: bool = False,
    beat: Callable[[], None] = lambda: None,
) -> dict[str, Head]:
    """Predicts stored images.

    Args:
        model: The network.
        config: How it sees images.
        store: Images.
        rows: Which of them.
        device: Where to compute.
        task: What the outputs mean.
        workers: Loader processes.
        view: One of `trainables.portable.views.VIEWS` in which they are looked at, or empty.
        stress: Under which they are looked at; None for none.
        augmented: Whether they are looked at as the configuration's last epoch augments.
        beat: Called at every batch.

    Returns:
        What is told of each image, in the order of the rows, by name: the task's predictions, and
        what an auxiliary head says.

    Raises:
        TrainingError: If predictions are not finite.
    """
    forward = Forward(model, config, device, task, beat)
    if isinstance(config.data, Windows):
        looked = (look_at(store.pixels[row], view, config.data) for row in rows.tolist())
        found: Head = Planes.of(forward.windows(picture, view) for picture in looked)
    else:
        batches = evaluation_loader(config, store, rows, workers, view, stress, augmented)
        found = task.gathered(forward(batch.pictures) for batch in batches)
    return forward.told(task.undo(view, found))


def predict_pictures(
    model: torch.nn.Module,
    config: TrialConfig,
    pictures: Sequence[Picture],
    device: Device,
    task: TrainingTask,
    view: str = "",
) -> dict[str, Head]:
    """Predicts images at hand as `predict` does those of a store.

    Args:
        model: The network.
        config: How it sees images.
        pictures: As they are stored, each uint8 (height, width, 3).
        device: Where to compute.
        task: What the outputs mean.
        view: One of `trainables.portable.views.VIEWS` in which they are looked at, or empty.

    Returns:
        As `predict`.
    """
    forward, data = Forward(model, config, device, task), config.data
    if isinstance(data, Windows):
        looked = (look_at(picture, view, data) for picture in pictures)
        found: Head = Planes.of(forward.windows(picture, view) for picture in looked)
    else:
        size = evaluation_batch(config)
        parts = (pictures[first : first + size] for first in range(0, len(pictures), size))
        seen = (np.stack([look(picture, view, data) for picture in part]) for part in parts)
        found = task.gathered(forward(torch.from_numpy(batch)) for batch in seen)
    return forward.told(task.undo(view, found))
