"""One class per image: softmax over classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from results.predictions import PROBABILITIES, Head
from spaces.errors import InputError
from spaces.sections.loss import Loss as LossSettings
from spaces.sections.mixing import CopyPaste
from spaces.trial_config import TrialConfig
from trainables.losses.losses import LOSSES, Loss
from trainables.tasks.task import Own, TrainingTask


class Classification(TrainingTask):
    """A backbone with one output per class."""

    name = "classification"
    head = PROBABILITIES
    activation = "softmax"

    def targets(self, labels: NDArray[Any], classes: int) -> NDArray[np.float32]:
        """Probabilities (n, classes): 1 for the class of each image."""
        certain: NDArray[np.float32] = np.eye(classes, dtype=np.float32)[labels]
        return certain

    def loss(self, config: TrialConfig, own: Own) -> Loss:
        """The loss of the configuration, or the team's own."""
        return LOSSES.of(config.loss, own)(config)

    def check(self, config: TrialConfig) -> None:
        """Refuses what is for masks."""
        if config.model.kind == "smp":
            raise InputError("model=smp makes masks: data.mask= names the column of true ones")
        if config.data.shape == "native":
            raise InputError("data.shape=native is for masks: networks tell classes of one size")
        if isinstance(config.mix, CopyPaste):
            raise InputError(f"mix={config.mix.kind} pastes regions of masks, and there are none")
        if isinstance(config.loss, LossSettings) and config.loss.for_masks:
            raise InputError(f"loss={config.loss.kind} is for masks, not for classes of images")

    def gathered(self, outputs: Iterable[NDArray[np.float32]]) -> Head:
        """Probabilities (n, classes)."""
        return np.concatenate(list(outputs))

    def apart(self, a: Head, b: Head) -> NDArray[np.float64]:
        """The largest difference of a class's probability."""
        assert isinstance(a, np.ndarray)
        assert isinstance(b, np.ndarray)
        return np.asarray(np.abs(a - b).max(axis=1), np.float64)

    def undo(self, view: str, predictions: Head) -> Head:
        """A class does not depend on how the image was looked at."""
        return predictions
