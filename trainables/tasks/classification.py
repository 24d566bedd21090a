"""One class per image: softmax over classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from results.predictions import PROBABILITIES
from spaces.trial_config import TrialConfig
from trainables.losses.losses import LOSSES, Loss
from trainables.networks.networks import NETWORKS
from trainables.tasks.task import Own, TrainingTask


class Classification(TrainingTask):
    """A backbone with one output per class."""

    name = "classification"
    head = PROBABILITIES
    activation = "softmax"

    def outputs(self, classes: int) -> int:
        """One per class."""
        return classes

    def targets(self, labels: NDArray[Any], classes: int) -> NDArray[np.float32]:
        """Probabilities (n, classes): 1 for the class of each image."""
        certain: NDArray[np.float32] = np.eye(classes, dtype=np.float32)[labels]
        return certain

    def network(self, config: TrialConfig, classes: int, own: Own) -> torch.nn.Module:
        """The network of the configuration, or the team's own."""
        return NETWORKS.of(config.model, own)(config, self.outputs(classes))

    def loss(self, config: TrialConfig, own: Own) -> Loss:
        """The loss of the configuration, or the team's own."""
        return LOSSES.of(config.loss, own)(config)

    def undo(self, view: str, predictions: NDArray[np.float32]) -> NDArray[np.float32]:
        """A class does not depend on how the image was looked at."""
        return predictions
