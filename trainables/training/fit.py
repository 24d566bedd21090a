"""Training: one configuration on one fold, epoch by epoch."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from results.metrics import all_scores, corrected
from results.predictions import Predictions, predictions_file
from results.tasks.tasks import TASKS
from spaces.trial_config import TrialConfig
from trainables.data.loader import evaluation_loader
from trainables.inference.predict import predict
from trainables.training.checkpoint import Checkpoint, remove_leftovers
from trainables.training.context import TrainingContext
from trainables.training.full_disk import with_room
from trainables.training.state import Beat, TrainingError, TrainingState, no_beat
from trainables.training.training_score import training_score

# isort: split

Report = dict[str, Any]
"""One epoch: ``epoch``, ``metrics`` by slash-grouped name, ``seconds`` by part, ``images``."""


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


def fit(
    config: TrialConfig,
    context: TrainingContext,
    folder: Path,
    *,
    threads: int = 1,
    workers: int = 0,
    beat: Beat = no_beat,
    state: type[TrainingState] = TrainingState,
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
        context: Data and metric.
        folder: Gets ``holdout.npz``, ``stress.npz``, ``test.npz`` and checkpoints.
        threads: CPU threads for torch.
        workers: Loader processes.
        beat: Called at every batch.
        state: What an epoch's steps compute.

    Raises:
        TrainingError: If the loss, the predictions or the contest's metric are not finite.
        InputError: If the network cannot be built.
    """
    torch.set_num_threads(threads)
    cv2.setNumThreads(0)
    beat()
    training = state(config, context, workers)
    held_out = context.folds.held_out(config.run.fold)
    loader = evaluation_loader(config, context.store, held_out, workers)
    remove_leftovers(folder)
    checkpoint, notes = Checkpoint.newest(folder, config)
    reports: list[Report] = []
    if checkpoint is not None:
        training.load(checkpoint.states)
        reports = [dict(report) for report in checkpoint.reports]
        yield Epoch(report=reports[-1], earlier=tuple(reports[:-1]), notes=notes)
        notes = ()
    for epoch in range(len(reports) + 1, config.run.epochs + 1):
        begun = time.perf_counter()
        loss, seconds, images = training.train(epoch, beat)
        trained = time.perf_counter()
        probabilities = predict(
            training.evaluated, loader, training.device, context.task.activation, beat
        )
        scores = _scores(probabilities, held_out, context)
        stressed: dict[str, float] = {}
        if context.stress is not None and (context.stress_always or epoch == config.run.epochs):
            stressed = _stressed(training, held_out, context, folder, workers, beat)
        known: dict[str, float] = {}
        if epoch == config.run.epochs:
            known = training_score(training, context, scores, workers, beat)
        evaluated = time.perf_counter()
        _save(probabilities, held_out, context, folder / predictions_file("holdout"), beat)
        if epoch == config.run.epochs:  # before the checkpoint that says that the training is done
            _predict_test(training, context, folder, workers, beat)
        report: Report = {
            "epoch": epoch,
            "metrics": {
                "train/loss": loss,
                "train/lr": max(float(group["lr"]) for group in training.optimizer.param_groups),
                **training.learned.told,
                **{f"val/{name}": value for name, value in scores.items()},
                **{f"stress/{name}": value for name, value in stressed.items()},
                **known,
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
    probabilities: NDArray[np.float32], rows: NDArray[np.int64], context: TrainingContext
) -> dict[str, float]:
    _demand_finite(probabilities)
    metrics = {**TASKS[context.task.name].metrics, context.metric.name: context.metric}
    scores = all_scores(context.folds.labels[rows], probabilities, metrics.values())
    if context.metric.name not in scores:
        raise TrainingError(f"{context.metric.name} is not defined on the hold-out's predictions")
    return scores | _corrected_score(probabilities, rows, context)


def _corrected_score(
    probabilities: NDArray[np.float32], rows: NDArray[np.int64], context: TrainingContext
) -> dict[str, float]:
    """The contest's metric on labels as corrected, where there are such, and it is defined."""
    if context.corrections is None:
        return {}
    used = ~context.corrections.left_out[rows]
    if not used.any():
        return {}
    labels = context.corrections.labels[rows[used]]
    found = all_scores(labels, probabilities[used], [context.metric])
    return {corrected(name): value for name, value in found.items()}


def _stressed(
    training: TrainingState,
    rows: NDArray[np.int64],
    context: TrainingContext,
    folder: Path,
    workers: int,
    beat: Beat,
) -> dict[str, float]:
    """Predicts held-out images under the stress; returns the metrics."""
    loader = evaluation_loader(training.config, context.store, rows, workers, stress=context.stress)
    probabilities = predict(
        training.evaluated, loader, training.device, context.task.activation, beat
    )
    scores = _scores(probabilities, rows, context)
    _save(probabilities, rows, context, folder / predictions_file("stress"), beat)
    return scores


def _predict_test(
    training: TrainingState, context: TrainingContext, folder: Path, workers: int, beat: Beat
) -> None:
    rows = context.test_rows
    if context.predict_test and len(rows):
        loader = evaluation_loader(training.config, context.store, rows, workers)
        probabilities = predict(
            training.evaluated, loader, training.device, context.task.activation, beat
        )
        _demand_finite(probabilities)
        _save(probabilities, rows, context, folder / predictions_file("test"), beat)


def _demand_finite(probabilities: NDArray[np.float32]) -> None:
    if not np.isfinite(probabilities).all():
        raise TrainingError("predicted probabilities are not finite")


def _save(
    probabilities: NDArray[np.float32],
    rows: NDArray[np.int64],
    context: TrainingContext,
    path: Path,
    beat: Beat,
) -> None:
    names = context.store.images
    predictions = Predictions(
        images=tuple(names[row] for row in rows),
        classes=context.classes,
        heads={context.task.head: probabilities},
    )
    with_room(functools.partial(predictions.write, path), beat)
