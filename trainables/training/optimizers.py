"""The optimizers by name, all of them timm's; a new one is a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

import trainables.portable.torchvision_cure  # noqa: F401 (has to come before timm)
from spaces.errors import unknown
from spaces.sections.optimizer import ADAPTIVE, Adaptive, Momentum, Optimizer
from spaces.trial_config import TrialConfig
from trainables.parts import Parts

# isort: split
from timm.optim import create_optimizer_v2, list_optimizers

FUSED = frozenset({"adam", "adamw", "sgd"})
"""Optimizers of torch that take a step in one kernel: half the time of its default for a small
network, whose tensors are many and short."""

BuildOptimizer = Callable[[TrialConfig, torch.nn.Module], torch.optim.Optimizer]


def check_optimizer(name: str) -> None:
    """Raises InputError, with the nearest names, unless there is an optimizer of this name."""
    if name not in OPTIMIZERS and name not in list_optimizers():
        raise unknown("optimizer", name, {*OPTIMIZERS, *list_optimizers()})


def _adaptive(config: TrialConfig, model: torch.nn.Module) -> torch.optim.Optimizer:
    settings = config.optimizer
    assert isinstance(settings, Adaptive)
    return _made(settings, model, betas=(0.9, settings.beta2))


def _momentum(config: TrialConfig, model: torch.nn.Module) -> torch.optim.Optimizer:
    settings = config.optimizer
    assert isinstance(settings, Momentum)
    return _made(settings, model, momentum=settings.momentum)


def _made(settings: Optimizer, model: torch.nn.Module, **own: Any) -> torch.optim.Optimizer:
    if settings.kind in FUSED:
        own["fused"] = True
    made: torch.optim.Optimizer = create_optimizer_v2(
        model, opt=settings.kind, lr=settings.lr, weight_decay=settings.weight_decay, **own
    )
    return made


OPTIMIZERS: Parts[BuildOptimizer] = Parts(
    "optimizer", {**dict.fromkeys(ADAPTIVE, _adaptive), "sgd": _momentum}, other=_momentum
)
