"""The live state of one training: network, optimizer, schedule, averages, and an epoch's steps."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch

from spaces.sections.mixing import BOX_CUTMIX
from spaces.shares import share_of
from spaces.trial_config import TrialConfig
from trainables.data.batch import Batch
from trainables.data.focus import boxes_in_store
from trainables.data.loader import TrainingLoader
from trainables.data.training_set import training_set
from trainables.inference.predict import to_input
from trainables.portable.activations import in_fp32
from trainables.tasks.segmentation import planes_of
from trainables.training.averages import AVERAGES
from trainables.training.context import TrainingContext
from trainables.training.cpu_bf16 import WORTH, bf16, bf16_pays
from trainables.training.device import Device
from trainables.training.freezing import Freezing
from trainables.training.mixings import MIXINGS
from trainables.training.optimizers import build_optimizer
from trainables.training.ranks import ALONE, Ranks
from trainables.training.schedules import SCHEDULES
from trainables.training.sharpness_aware import sharpness_aware
from trainables.training.step_times import StepTimes
from trainables.training.training_error import TrainingError

Beat = Callable[[], None]
"""Called at every batch: a sign of life."""


def no_beat() -> None:
    """For a training that nobody watches."""


class TrainingState:
    """The live state of one training; everything that a checkpoint has to hold is in here.

    Args:
        config: What to train.
        context: Data and metric.
        workers: Loader processes.
        ranks: Processes that share its batches; their states are equal after every step.
    """

    def __init__(
        self, config: TrialConfig, context: TrainingContext, workers: int, ranks: Ranks = ALONE
    ) -> None:
        self.config, self.ranks = config, ranks
        self.cut = share_of(config, ranks.size)
        self.device = Device.pick(config)
        _seed(config.run.seed, 0)
        self.model = self.device.placed(context.network(config))
        self.average = AVERAGES.of(config.averaging)(config, self.model, context.task.activation)
        self.optimizer = build_optimizer(config, self.model)
        self.freezing = Freezing(config, self.model)
        self.scaler = self.device.scaler()
        self.loss = context.loss(config)
        self.learned = training_set(config, context)
        pixels = self.learned.pixels
        self.pixels = None if pixels is None else torch.from_numpy(pixels).to(self.device.target)
        focus = None
        if config.mix.kind == BOX_CUTMIX:
            focus = boxes_in_store(context.focus, context.store, config)
        self.loader = TrainingLoader(
            self.cut,
            context.store,
            self.learned,
            workers,
            focus=focus,
            device=self.device.target,
            mine=ranks.mine,
        )
        self.steps = len(self.loader) // self.cut.run.accumulation
        self.schedule = SCHEDULES.of(config.schedule)(config, self.optimizer, self.steps)
        self.mix = MIXINGS.of(config.mix)(self.cut, self.model)
        unmixed = getattr(config.mix, "unmixed_epochs", 0)
        self._mixed_steps = (config.run.epochs - unmixed) * self.steps
        self._bf16: bool | None = None

    @property
    def evaluated(self) -> torch.nn.Module:
        """The network whose predictions count."""
        return self.average.evaluated

    def states(self) -> dict[str, dict[str, Any]]:
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "average": self.average.state(),
            "precision": {"bf16": self._bf16},
        }

    def load(self, states: Any, losses: Sequence[float]) -> None:
        """Goes on from a checkpoint.

        Args:
            states: As `states` gave them.
            losses: Mean training losses of the epochs so far, which schedules may depend on.
        """
        self.model.load_state_dict(states["model"])
        self.optimizer.load_state_dict(states["optimizer"])
        self.scaler.load_state_dict(states["scaler"])
        self.average.load(states["average"])
        # A checkpoint that says nothing is one of fp32: accept=[code] may bring such along.
        self._bf16 = states.get("precision", {}).get("bf16", False)
        for epoch, loss in enumerate(losses, start=1):
            self.schedule.step(epoch, loss)

    def autocast(self) -> AbstractContextManager[Any]:
        """Context of the forward passes of its steps; predictions keep to the device's own."""
        return bf16() if self._bf16 else self.device.autocast()

    @property
    def told(self) -> dict[str, float]:
        """What reports say of how it computes."""
        return {"train/bf16": 1.0} if self._bf16 else {}

    def _in_bf16(self, beat: Beat) -> bool:
        """Whether a CPU is to compute its steps in bf16."""
        run, data = self.config.run, self.config.data
        asked = run.precision == "auto" and self.device.target.type == "cpu"
        if not asked or self.ranks.size > 1 or self.steps * run.epochs < WORTH:
            return False
        size, smallest = data.size_at(1.0), data.size_at(0.0)
        return bf16_pays(self.model, self.cut.run.images_at_once, size, smallest, beat)

    def train(self, epoch: int, beat: Beat) -> tuple[float, dict[str, float], int]:
        """Runs an epoch; returns the mean loss, seconds by part, and images seen."""
        if self._bf16 is None:
            self._bf16 = self._in_bf16(beat)
        ranks, seed = self.ranks, self.config.run.seed
        passes = self.cut.run.accumulation // ranks.size  # of a step, in this process
        self.freezing.begin(epoch)
        _seed(seed, epoch)
        total = torch.zeros((), device=self.device.target)
        images, times = 0, StepTimes(self.device.target)
        for index, batch in enumerate(self.batches(epoch)):
            beat()
            times.begin()
            batch = self.placed(batch)
            times.moved()
            update = (epoch - 1) * self.steps + index // passes
            if index % passes == 0:
                self.schedule.step_update(update)
            if ranks.size > 1:  # whoever computes a micro-batch draws the same for it
                _seed(seed, epoch, index * ranks.size + ranks.rank)
            loss, shown = self._differentiate(batch, update)
            if (index + 1) % passes == 0:
                self._step(update)
            total += loss.detach()
            images += shown
            times.end()
        seconds = times.seconds()
        self.average.after_epoch(epoch)
        mean = float(ranks.total(total)) / len(self.loader)
        if not math.isfinite(mean):
            raise TrainingError(f"the training loss is {mean} in epoch {epoch}")
        self.schedule.step(epoch, mean)
        return mean, seconds, images * ranks.size

    def batches(self, epoch: int) -> Iterator[Any]:
        """What an epoch's micro-batches are made of; one for each that is loaded here."""
        return self.loader.epoch(epoch)

    def placed(self, batch: Any) -> Any:
        """One of `batches` on the device, or on its way there."""
        return batch.to(self.device.target)

    def batch_loss(self, batch: Any, update: int) -> tuple[torch.Tensor, int]:
        """The loss of a micro-batch, and the images in it.

        Args:
            batch: One of `batches`, as `placed` returns it.
            update: The optimizer step that it is part of, counted from 0 over the training.
        """
        inputs, targets = to_input(batch.pictures, self.model, self.device), self.wanted(batch)
        if update < self._mixed_steps:
            inputs, targets = self.mix(inputs, targets, batch.boxes)
        with self.autocast():
            outputs = self.model(inputs)
        return self.loss(in_fp32(outputs), targets), len(inputs)

    def wanted(self, batch: Batch) -> torch.Tensor:
        """What outputs of a micro-batch are compared with."""
        if batch.masks is None or self.pixels is None:
            return batch.targets
        planes = planes_of(batch.masks, self.pixels)
        return planes * batch.targets.reshape(-1, *[1] * (planes.ndim - 1))

    def _differentiate(self, batch: Any, update: int) -> tuple[torch.Tensor, int]:
        """Adds a micro-batch's gradient; returns its loss and the images in it."""
        measure = functools.partial(self.batch_loss, batch, update)

        def backward(loss: torch.Tensor) -> None:
            share = loss / self.cut.run.accumulation
            self.scaler.scale(share).backward()  # type: ignore[no-untyped-call]

        radius = self.config.optimizer.sam_radius
        if radius:
            return sharpness_aware(self.model, measure, backward, radius, self.scaler.scale)
        loss, shown = measure()
        backward(loss)
        return loss, shown

    def _step(self, update: int) -> None:
        self.ranks.add_up(self.model)
        if self.config.optimizer.clip_grad:
            self.scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.optimizer.clip_grad)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        self.average.after_step(update)


def _seed(*numbers: int) -> None:
    """Seeds the global generators as a function of trial and epoch: torch (weights, dropout)
    and numpy (timm's mixing). Nothing of an earlier trial in this process is left in them."""
    state = np.random.SeedSequence(numbers).generate_state(1, np.uint32)
    np.random.seed(int(state[0]))  # timm's Mixup draws from the global generator
    torch.manual_seed(int(state[0]))
