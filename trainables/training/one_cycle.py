"""The 1cycle schedule of learning rate and momentum, as a function of the step."""

from __future__ import annotations

import math
from typing import Any

import torch

import trainables.portable.torchvision_cure  # noqa: F401 (has to come before timm)

# isort: split
from timm.scheduler.scheduler import Scheduler


class OneCycle(Scheduler):  # type: ignore[misc]
    """One rise and one fall of the learning rate, the momentum against them.

    Torch's ``OneCycleLR`` counts its own steps, so that a training that goes on from a checkpoint
    would need its state; this one is asked for a step, as timm's schedules are (Smith and Topin,
    Super-Convergence, 2019).

    Args:
        optimizer: Has the highest learning rate, and the momentum of both ends.
        steps: Of the whole training.
        rise: Share of them until the peak.
        start: Share of the learning rate at the first step.
        low_momentum: Momentum at the peak.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        steps: int,
        *,
        rise: float,
        start: float,
        low_momentum: float,
    ) -> None:
        self._steps, self._peak, self._start = steps, max(1.0, rise * steps), start
        self._low, self._high = low_momentum, [_momentum(g) for g in optimizer.param_groups]
        super().__init__(optimizer, "lr", t_in_epochs=False)

    def _swing(self, step: int) -> float:
        """How far the cycle is from its ends: 0 there, 1 at the peak."""
        if step <= self._peak:
            return (1 - math.cos(math.pi * step / self._peak)) / 2
        fallen = min(1.0, (step - self._peak) / max(1.0, self._steps - self._peak))
        return (1 + math.cos(math.pi * fallen)) / 2

    def _get_lr(self, t: int) -> list[float]:
        swing = self._swing(t)
        share = swing if t > self._peak else self._start + (1 - self._start) * swing
        return [value * share for value in self.base_values]

    def step_update(self, num_updates: int, metric: float | None = None) -> None:
        """Sets learning rates and momenta of an optimizer step, counted from 0."""
        super().step_update(num_updates, metric)
        swing = self._swing(num_updates)
        for group, high in zip(self.optimizer.param_groups, self._high, strict=True):
            if high > self._low:
                _set_momentum(group, high + (self._low - high) * swing)


def _momentum(group: dict[str, Any]) -> float:
    """The momentum of a group, or its first beta; 0 where it has neither."""
    return float(group["betas"][0] if "betas" in group else group.get("momentum", 0.0))


def _set_momentum(group: dict[str, Any], value: float) -> None:
    if "betas" in group:
        group["betas"] = (value, *group["betas"][1:])
    else:
        group["momentum"] = value
