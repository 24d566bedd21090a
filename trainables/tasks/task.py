"""What every task's half of a training has to say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from results.predictions import Head
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from trainables.losses.losses import Loss
from trainables.networks.networks import NETWORKS
from trainables.portable.views import VIEWS

Own = Mapping[str, Callable[..., Any]]
"""Functions named on the command line, by ``module:function``."""


class TrainingTask(ABC):
    """What a network of a task is given, what it is trained for, and what its outputs mean.

    Attributes:
        name: Name of the task; results/tasks has the other half.
        head: Name of the array of predictions in records.
        activation: From outputs to predictions; one of `trainables.portable.activations`.
    """

    name: ClassVar[str]
    head: ClassVar[str]
    activation: ClassVar[str]

    @abstractmethod
    def targets(self, labels: NDArray[Any], classes: int) -> NDArray[np.float32]:
        """What a loss compares outputs with, float32 (n, …); it may be soft.

        Args:
            labels: Targets of some images, as the results' half reads them.
            classes: Number of classes.
        """

    def network(self, config: TrialConfig, classes: int, own: Own) -> torch.nn.Module:
        """Builds the network of the configuration, or the team's own.

        Raises:
            InputError: If it cannot be built.
        """
        return NETWORKS.of(config.model, own)(config, classes)

    @abstractmethod
    def loss(self, config: TrialConfig, own: Own) -> Loss:
        """Builds the loss."""

    def compared(self, targets: torch.Tensor) -> torch.Tensor:
        """Targets of certain classes, float (n, classes, …), as a loss gets them."""
        return targets

    def pixels(self, size: tuple[int, int]) -> tuple[int, ...]:
        """Height and width of the outputs for an image of ``size``; nothing of whole images."""
        return ()

    @abstractmethod
    def check(self, config: TrialConfig) -> None:
        """Raises InputError for a network, a loss or a size that does not suit the task."""

    def check_view(self, view: str, config: TrialConfig) -> None:
        """Raises InputError for a view that predictions cannot be told from."""
        if VIEWS[view].scale != 1 or VIEWS[view].of_windows:
            raise InputError(
                f"views=[{view}]: scales and windows are for masks; zoom and wide are for classes "
                "of images"
            )

    @abstractmethod
    def gathered(self, outputs: Iterable[NDArray[np.float32]]) -> Head:
        """Puts the predictions of batches, float32 (n, …), together."""

    def heads(self, told: Mapping[str, Head], sizes: NDArray[np.int64]) -> dict[str, Head]:
        """What is recorded of predictions, by name.

        Args:
            told: What networks tell of images, by name.
            sizes: int64 (n, 2), height and width of the images' files in pixels.
        """
        return dict(told)

    @abstractmethod
    def apart(self, a: Head, b: Head) -> NDArray[np.float64]:
        """The largest difference of a probability between predictions of each image, (n,)."""

    @abstractmethod
    def undo(self, view: str, predictions: Head) -> Head:
        """Predictions of a view as those of the image itself; ``view`` may be empty."""
