"""Training: one configuration on one fold, epoch by epoch."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from results.metrics import Metric, all_scores
from results.predictions import Predictions
from spaces.trial_config import ADAPTIVE, TrialConfig
from trainables.data.folds import Folds
from trainables.data.image_store import ImageStore
from trainables.data.loader import TrainingLoader, evaluation_loader
from trainables.inference.predict import predict, to_input
from trainables.networks.timm_network import BuildModel, build_model
from trainables.training.checkpoint import Checkpoint, remove_leftovers
from trainables.training.device import Device
from trainables.training.full_disk import with_room
from trainables.training.losses import BuildLoss, build_loss

# isort: split
from timm.data.mixup import Mixup
from timm.optim import create_optimizer_v2
from timm.scheduler import CosineLRScheduler
from timm.utils import ModelEmaV3

Report = dict[str, Any]
"""One epoch: ``epoch``, ``metrics`` by slash-grouped name, ``seconds`` by part, ``images``."""


Beat = Callable[[], None]
"""Called at every batch: a sign of life."""


def no_beat() -> None:
    """For a training that nobody watches."""


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """What `fit` yields.

    Attributes:
        report: The epoch's report.
        earlier: Reports of the epochs before it, if the training goes on from a checkpoint.
        notes: What the user should know, such as that a checkpoint was damaged.
    """

    report: Report
    earlier: tuple[Report, ...] = ()
    notes: tuple[str, ...] = ()


class TrainingError(RuntimeError):
    """A training that cannot go on, such as one whose loss is not finite."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """What trials of a search have in common.

    Attributes:
        store: Images, training rows first.
        folds: Labels and folds of the training rows.
        classes: Class names in the order of probabilities.
        metric: The contest's metric.
        model: A team's own network, or timm's.
        loss: A team's own loss, or cross entropy.
        predict_test: Whether test images are predicted after the last epoch.
    """

    store: ImageStore
    folds: Folds
    classes: tuple[str, ...]
    metric: Metric
    model: BuildModel = build_model
    loss: BuildLoss = build_loss
    predict_test: bool = True


class _Training:
    """The live state of one training; everything that a checkpoint has to hold is in here."""

    def __init__(self, config: TrialConfig, task: Task, workers: int) -> None:
        self.config = config
        self.device = Device.pick(config)
        _seed(config.seed, 0)
        self.model = task.model(config, len(task.classes)).to(self.device.target)
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
        self.loss = task.loss(config)
        labels, rows = task.folds.labels, task.folds.trained_on(config.fold)
        self.loader = TrainingLoader(config, task.store, labels, rows, workers)
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
        self.classes = len(task.classes)
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


def fit(
    config: TrialConfig,
    task: Task,
    folder: Path,
    *,
    threads: int = 1,
    workers: int = 0,
    beat: Beat = no_beat,
) -> Iterator[Epoch]:
    """Trains one configuration and yields a report after every epoch.

    An epoch is reported once its hold-out predictions and its checkpoint are on the disk. If the
    folder holds a checkpoint of this configuration, its report comes first and the training goes
    on from there. After the last epoch the test images are predicted. Where the disk is full,
    the training waits until there is room.

    On a CPU, the same configuration, threads and versions give the same bits, whatever the
    number of loader workers, and whether or not the training was interrupted between epochs.

    Args:
        config: What to train.
        task: Data and metric.
        folder: Gets ``holdout.npz``, ``test.npz`` and checkpoints.
        threads: CPU threads for torch.
        workers: Loader processes.
        beat: Called at every batch.

    Raises:
        TrainingError: If the loss, the predictions or the contest's metric are not finite.
        InputError: If the network cannot be built.
    """
    torch.set_num_threads(threads)
    cv2.setNumThreads(0)
    beat()
    training = _Training(config, task, workers)
    held_out = task.folds.held_out(config.fold)
    loader = evaluation_loader(config, task.store, held_out, workers)
    remove_leftovers(folder)
    checkpoint, notes = Checkpoint.newest(folder, config)
    reports: list[Report] = []
    if checkpoint is not None:
        training.load(checkpoint.states)
        reports = [dict(report) for report in checkpoint.reports]
        yield Epoch(report=reports[-1], earlier=tuple(reports[:-1]), notes=notes)
        notes = ()
    for epoch in range(len(reports) + 1, config.epochs + 1):
        begun = time.perf_counter()
        loss, seconds, images = training.train(epoch, beat)
        trained = time.perf_counter()
        probabilities = predict(training.evaluated, loader, training.device, beat)
        scores = _scores(probabilities, held_out, task)
        evaluated = time.perf_counter()
        _save(probabilities, held_out, task, folder / "holdout.npz", beat)
        if epoch == config.epochs:  # before the checkpoint that says that the training is done
            _predict_test(training, task, folder, workers, beat)
        report: Report = {
            "epoch": epoch,
            "metrics": {
                "train/loss": loss,
                "train/lr": float(training.optimizer.param_groups[0]["lr"]),
                **{f"val/{name}": value for name, value in scores.items()},
            },
            "seconds": {**seconds, "evaluate": evaluated - trained, "total": evaluated - begun},
            "images": images,
        }
        reports.append(report)
        done = Checkpoint(
            reports=tuple(reports), config_digest=config.state_digest, states=training.states()
        )
        with_room(functools.partial(done.write, folder), beat)
        yield Epoch(report=report, notes=notes)
        notes = ()


def _scores(
    probabilities: NDArray[np.float32], rows: NDArray[np.int64], task: Task
) -> dict[str, float]:
    _demand_finite(probabilities)
    scores = all_scores(task.folds.labels[rows], probabilities, task.metric)
    if task.metric.name not in scores:
        raise TrainingError(f"{task.metric.name} is not defined on the hold-out's predictions")
    return scores


def _predict_test(training: _Training, task: Task, folder: Path, workers: int, beat: Beat) -> None:
    rows = np.arange(len(task.folds.labels), len(task.store.images))
    if task.predict_test and len(rows):
        loader = evaluation_loader(training.config, task.store, rows, workers)
        probabilities = predict(training.evaluated, loader, training.device, beat)
        _demand_finite(probabilities)
        _save(probabilities, rows, task, folder / "test.npz", beat)


def _demand_finite(probabilities: NDArray[np.float32]) -> None:
    if not np.isfinite(probabilities).all():
        raise TrainingError("predicted probabilities are not finite")


def _save(
    probabilities: NDArray[np.float32],
    rows: NDArray[np.int64],
    task: Task,
    path: Path,
    beat: Beat,
) -> None:
    names = task.store.images
    predictions = Predictions(
        images=tuple(names[row] for row in rows),
        classes=task.classes,
        probabilities=probabilities,
    )
    with_room(functools.partial(predictions.write, path), beat)


def _seed(seed: int, epoch: int) -> None:
    """Seeds the global generators as a function of trial and epoch: torch (weights, dropout)
    and numpy (timm's mixing). Nothing of an earlier trial in this process is left in them."""
    state = np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint32)
    np.random.seed(int(state[0]))  # timm's Mixup draws from the global generator
    torch.manual_seed(int(state[0]))
