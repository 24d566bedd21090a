"""A schedule that steps down when the training loss no longer falls."""

from __future__ import annotations

import math
from typing import Any

import torch

import trainables.portable.torchvision_cure  # noqa: F401 (has to come before timm)

# isort: split
from timm.scheduler import StepLRScheduler

LEAST = 1e-4
"""Share by which a loss has to be below the lowest to count, as torch's ``ReduceLROnPlateau``."""


class Plateau(StepLRScheduler):  # type: ignore[misc]
    """A warm-up by steps, then a learning rate that is lowered after epochs without progress.

    timm's own warms up by epochs, which leaves the first one at the lowest rate. It is told of
    every epoch's loss with `step`, also of those before a checkpoint, and keeps nothing else.

    Args:
        optimizer: Has the highest learning rate.
        epochs: Epochs without a lower loss before a step.
        factor: What the learning rate is multiplied with at each.
        warmup_epochs: Whose losses say nothing.
        warmup: Of timm's schedules, in steps.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        *,
        epochs: int,
        factor: float,
        warmup_epochs: int,
        **warmup: Any,
    ) -> None:
        self._epochs, self._factor, self._warmup_epochs = epochs, factor, warmup_epochs
        self._lowest, self._since, self._share = math.inf, 0, 1.0
        super().__init__(optimizer, decay_t=1, decay_rate=1.0, **warmup)

    def _get_lr(self, t: int) -> list[float]:
        return [rate * self._share for rate in super()._get_lr(t)]

    def step(self, epoch: int, metric: float | None = None) -> None:
        """Takes in the mean training loss of an epoch, counted from 1."""
        if metric is None or epoch <= self._warmup_epochs:
            return
        if metric < self._lowest * (1 - LEAST):
            self._lowest, self._since = metric, 0
            return
        self._since += 1
        if self._since >= self._epochs:
            self._share, self._since = self._share * self._factor, 0
