"""The optimizers by name, all of them timm's; a new one is a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

import trainables.portable.torchvision_cure  # noqa: F401 (has to come before timm)
from spaces.errors import InputError, unknown
from spaces.sections.optimizer import ADAPTIVE, Adaptive, Momentum, Optimizer
from spaces.trial_config import TrialConfig
from trainables.parts import Parts

# isort: split
from timm.optim import Lookahead, create_optimizer_v2, list_optimizers

FUSED = frozenset({"adam", "adamw", "sgd"})
"""Optimizers of torch that take a step in one kernel: half the time of its default for a small
network, whose tensors are many and short."""

BuildOptimizer = Callable[[TrialConfig, torch.nn.Module], torch.optim.Optimizer]


LOOKAHEAD = "lookahead_"
"""How timm names an optimizer with Lookahead around it."""


def build_optimizer(config: TrialConfig, model: torch.nn.Module) -> torch.optim.Optimizer:
    """The optimizer of a training, with Lookahead around it where that is asked for."""
    made = OPTIMIZERS.of(config.optimizer)(config, model)
    steps = config.optimizer.lookahead
    return Lookahead(made, k=steps) if steps else made


def check_optimizer(name: str) -> None:
    """Raises InputError, with the nearest names, unless there is an optimizer of this name."""
    if name.startswith(LOOKAHEAD):
        raise InputError(
            f"optimizer={name}: write optimizer={name.removeprefix(LOOKAHEAD)} and lookahead=6"
        )
    if name not in OPTIMIZERS and name not in list_optimizers():
        raise unknown("optimizer", name, {*OPTIMIZERS, *list_optimizers()})


def _adaptive(config: TrialConfig, model: torch.nn.Module) -> torch.optim.Optimizer:
    settings = config.optimizer
    assert isinstance(settings, Adaptive)
    return _made(settings, model, betas=(0.9, settings.beta2))


def _momentum(config: TrialConfig, model: torch.nn.Module) -> torch.optim.Optimizer:
    settings = config.optimizer
    assert isinstance(settings, Momentum)
    plain = {"nesterov": False} if settings.kind == "sgd" and not settings.momentum else {}
    return _made(settings, model, momentum=settings.momentum, **plain)


def _lion(config: TrialConfig, model: torch.nn.Module) -> torch.optim.Optimizer:
    return _made(config.optimizer, model)


def _made(settings: Optimizer, model: torch.nn.Module, **own: Any) -> torch.optim.Optimizer:
    if settings.kind in FUSED:
        own["fused"] = True
    made: torch.optim.Optimizer = create_optimizer_v2(
        model,
        opt=settings.kind,
        lr=settings.lr,
        weight_decay=settings.weight_decay,
        layer_decay=settings.layer_decay if settings.layer_decay < 1 else None,
        **own,
    )
    return made


OPTIMIZERS: Parts[BuildOptimizer] = Parts(
    "optimizer",
    {**dict.fromkeys(ADAPTIVE, _adaptive), "lion": _lion, "sgd": _momentum},
    other=_momentum,
)
