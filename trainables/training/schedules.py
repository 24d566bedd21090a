"""The schedules of the learning rate by name, most of them timm's; a new one is a line here."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

import trainables.portable.torchvision_cure  # noqa: F401 (has to come before timm)
from spaces.sections.schedule import Exponential, OneCycle, Plateau, Polynomial, Restarts, Step
from spaces.trial_config import TrialConfig
from trainables.parts import Parts
from trainables.training import one_cycle, plateau

# isort: split
from timm.scheduler import CosineLRScheduler, PolyLRScheduler, StepLRScheduler
from timm.scheduler.scheduler import Scheduler

BuildSchedule = Callable[[TrialConfig, torch.optim.Optimizer, int], Scheduler]
"""From configuration, optimizer and steps per epoch to a schedule that counts steps."""


def _warmup(config: TrialConfig, steps: int) -> dict[str, Any]:
    return {
        "warmup_t": config.schedule.warmup_epochs * steps,
        "warmup_lr_init": config.optimizer.lr * config.schedule.warmup_start,
        "warmup_prefix": True,
        "t_in_epochs": False,
    }


def _falling(config: TrialConfig, steps: int) -> int:
    """Steps after the warm-up."""
    return max(1, (config.run.epochs - config.schedule.warmup_epochs) * steps)


def _cosine(config: TrialConfig, optimizer: torch.optim.Optimizer, steps: int) -> Scheduler:
    return CosineLRScheduler(optimizer, _falling(config, steps), **_warmup(config, steps))


def _constant(config: TrialConfig, optimizer: torch.optim.Optimizer, steps: int) -> Scheduler:
    return StepLRScheduler(optimizer, decay_t=1, decay_rate=1.0, **_warmup(config, steps))


def _step(config: TrialConfig, optimizer: torch.optim.Optimizer, steps: int) -> Scheduler:
    settings = config.schedule
    assert isinstance(settings, Step)
    return StepLRScheduler(
        optimizer,
        decay_t=settings.step_epochs * steps,
        decay_rate=settings.step_factor,
        **_warmup(config, steps),
    )


def _restarts(config: TrialConfig, optimizer: torch.optim.Optimizer, steps: int) -> Scheduler:
    settings = config.schedule
    assert isinstance(settings, Restarts)
    return CosineLRScheduler(
        optimizer,
        math.ceil(_falling(config, steps) / settings.cycles),
        cycle_limit=settings.cycles,
        cycle_decay=settings.cycle_factor,
        **_warmup(config, steps),
    )


def _exponential(config: TrialConfig, optimizer: torch.optim.Optimizer, steps: int) -> Scheduler:
    settings = config.schedule
    assert isinstance(settings, Exponential)
    rate = settings.final_share ** (1 / _falling(config, steps))
    return StepLRScheduler(optimizer, decay_t=1, decay_rate=rate, **_warmup(config, steps))


def _polynomial(config: TrialConfig, optimizer: torch.optim.Optimizer, steps: int) -> Scheduler:
    settings = config.schedule
    assert isinstance(settings, Polynomial)
    return PolyLRScheduler(
        optimizer, _falling(config, steps), power=settings.decay_power, **_warmup(config, steps)
    )


def _one_cycle(config: TrialConfig, optimizer: torch.optim.Optimizer, steps: int) -> Scheduler:
    settings = config.schedule
    assert isinstance(settings, OneCycle)
    return one_cycle.OneCycle(
        optimizer,
        config.run.epochs * steps,
        rise=settings.rise,
        start=settings.warmup_start,
        low_momentum=settings.low_momentum,
    )


def _plateau(config: TrialConfig, optimizer: torch.optim.Optimizer, steps: int) -> Scheduler:
    settings = config.schedule
    assert isinstance(settings, Plateau)
    return plateau.Plateau(
        optimizer,
        epochs=settings.plateau_epochs,
        factor=settings.plateau_factor,
        warmup_epochs=settings.warmup_epochs,
        **_warmup(config, steps),
    )


SCHEDULES: Parts[BuildSchedule] = Parts(
    "schedule",
    {
        "cosine": _cosine,
        "constant": _constant,
        "step": _step,
        "restarts": _restarts,
        "exponential": _exponential,
        "polynomial": _polynomial,
        "one_cycle": _one_cycle,
        "plateau": _plateau,
    },
)
