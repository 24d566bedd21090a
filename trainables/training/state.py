"""The live state of one training: network, optimizer, schedule, averages, and an epoch's steps."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from spaces.trial_config import ADAPTIVE, TrialConfig
from trainables.data.loader import TrainingLoader
from trainables.inference.predict import to_input
from trainables.training.context import TrainingContext
from trainables.training.device import Device

# isort: split
from timm.data.mixup import Mixup
from timm.optim import create_optimizer_v2
from timm.scheduler import CosineLRScheduler
from timm.utils import ModelEmaV3

Beat = Callable[[], None]
"""Called at every batch: a sign of life."""


def no_beat() -> None:
    """For a training that nobody watches."""


class TrainingError(RuntimeError):
    """A training that cannot go on, such as one whose loss is not finite."""


class TrainingState:
    """The live state of one training; everything that a checkpoint has to hold is in here."""

    def __init__(self, config: TrialConfig, context: TrainingContext, workers: int) -> None:
        self.config = config
        self.device = Device.pick(config)
        _seed(config.seed, 0)
        self.model = context.model(config, len(context.classes)).to(self.device.target)
        self.model = self.model.to(memory_format=self.device.memory_format)  # type: ignore[call-overload]
        self.ema = ModelEmaV3(self.model, decay=config.ema_decay) if config.ema_decay else None
        self.swa = AveragedModel(self.model, use_buffers=True) if config.swa_epochs else None
        betas = {"betas": (0.9, config.beta2)} if config.optimizer in ADAPTIVE else {}
        self.optimizer = create_optimizer_v2(
            self.model,
            opt=config.optimizer,
            lr=config.lr,
            weight_decay=config.weight_decay,
            momentum=config.momentum,
            **betas,
        )
        self.scaler = self.device.scaler()
        self.loss = context.loss(config)
        labels, rows = context.folds.labels, context.folds.trained_on(config.fold)
        self.loader = TrainingLoader(config, context.store, labels, rows, workers)
        self.steps = len(self.loader) // config.accumulation
        warm = config.warmup_epochs * self.steps
        self.schedule = CosineLRScheduler(
            self.optimizer,
            t_initial=max(1, config.epochs * self.steps - warm),
            warmup_t=warm,
            warmup_lr_init=config.lr * config.warmup_start,
            warmup_prefix=True,
            t_in_epochs=False,
        )
        self.classes = len(context.classes)
        self.mixup = None
        if config.mix != "none":
            on = {f"{config.mix}_alpha": config.mix_alpha}
            self.mixup = Mixup(
                **{"mixup_alpha": 0.0, "cutmix_alpha": 0.0, **on},
                label_smoothing=0.0,  # the loss smooths
                num_classes=self.classes,
            )

    @property
    def evaluated(self) -> torch.nn.Module:
        """The network whose predictions count."""
        if self.swa is not None and self.swa.n_averaged > 0:
            return self.swa.module
        if self.ema is None:
            return self.model
        module: torch.nn.Module = self.ema.module
        return module

    def states(self) -> dict[str, dict[str, Any]]:
        states = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
        }
        if self.ema is not None:
            states["ema"] = self.ema.module.state_dict()
        if self.swa is not None:
            states["swa"] = self.swa.module.state_dict()
            states["averaged"] = {"epochs": self.swa.n_averaged}
        return states

    def load(self, states: Any) -> None:
        self.model.load_state_dict(states["model"])
        self.optimizer.load_state_dict(states["optimizer"])
        self.scaler.load_state_dict(states["scaler"])
        if self.ema is not None:
            self.ema.module.load_state_dict(states["ema"])
        if self.swa is not None:
            self.swa.module.load_state_dict(states["swa"])
            self.swa.n_averaged.copy_(states["averaged"]["epochs"])

    def train(self, epoch: int, beat: Beat) -> tuple[float, dict[str, float], int]:
        """Runs an epoch; returns the mean loss, seconds by part, and images seen."""
        config, device = self.config, self.device
        self.model.train()
        _seed(config.seed, epoch)
        total = torch.zeros((), device=device.target)
        seconds = {"feed": 0.0, "compute": 0.0}
        images, mark = 0, time.perf_counter()
        for index, (pictures, labels) in enumerate(self.loader.epoch(epoch)):
            beat()
            now = time.perf_counter()
            seconds["feed"] += now - mark
            update = (epoch - 1) * self.steps + index // config.accumulation
            if index % config.accumulation == 0:
                self.schedule.step_update(update)
            inputs = to_input(pictures, self.model, device)
            classes = labels.to(device.target, non_blocking=True)
            if self.mixup is None:
                targets = functional.one_hot(classes, self.classes).to(torch.float32)
            else:
                inputs, targets = self.mixup(inputs, classes)
            with device.autocast():
                loss = self.loss(self.model(inputs), targets)
            self.scaler.scale(loss / config.accumulation).backward()  # type: ignore[no-untyped-call]
            if (index + 1) % config.accumulation == 0:
                self._step(update)
            total += loss.detach()
            images += len(pictures)
            mark = time.perf_counter()
            seconds["compute"] += mark - now
        if self.swa is not None and epoch > config.epochs - config.swa_epochs:
            self.swa.update_parameters(self.model)
        mean = float(total) / len(self.loader)
        if not math.isfinite(mean):
            raise TrainingError(f"the training loss is {mean} in epoch {epoch}")
        return mean, seconds, images

    def _step(self, update: int) -> None:
        if self.config.clip_grad:
            self.scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_grad)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        if self.ema is not None:
            self.ema.update(self.model, step=update)


def _seed(seed: int, epoch: int) -> None:
    """Seeds the global generators as a function of trial and epoch: torch (weights, dropout)
    and numpy (timm's mixing). Nothing of an earlier trial in this process is left in them."""
    state = np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint32)
    np.random.seed(int(state[0]))  # timm's Mixup draws from the global generator
    torch.manual_seed(int(state[0]))
