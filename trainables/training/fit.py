"""Training: one configuration on one fold, epoch by epoch."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from results.masks.metrics import NEED_EDGES
from results.metrics import all_scores, corrected
from results.predictions import Predictions, predictions_file
from results.tasks.tasks import TASKS
from spaces.trial_config import TrialConfig
from trainables.data.mask_corrections import MaskCorrections
from trainables.data.scored_images import held_out_rows
from trainables.training.checkpoint import Checkpoint, remove_leftovers
from trainables.training.context import TrainingContext
from trainables.training.evaluation import judged, predicted
from trainables.training.full_disk import with_room
from trainables.training.ranks import ALONE, Ranks
from trainables.training.saving import Saving
from trainables.training.state import Beat, TrainingState, no_beat
from trainables.training.training_error import TrainingError
from trainables.training.training_score import training_score

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


class Means(TypedDict, total=False):
    """With what an action trains, as of `fit`."""

    threads: int
    workers: int
    beat: Beat
    ranks: Ranks


def fit(
    config: TrialConfig,
    context: TrainingContext,
    folder: Path,
    *,
    threads: int = 1,
    workers: int = 0,
    beat: Beat = no_beat,
    ranks: Ranks = ALONE,
    state: type[TrainingState] = TrainingState,
    start: Callable[[], Checkpoint] | None = None,
) -> Iterator[Epoch]:
    """Trains one configuration and yields a report after every epoch.

    An epoch is reported once its hold-out predictions are on the disk, and its checkpoint, too,
    where one is due; after the last epoch one always is. If the folder holds a checkpoint of this
    configuration, its report comes first and the training goes on from there. After the last epoch
    the test images are predicted. Where the disk is full, the training waits until there is room.
    Before the last epoch, the configuration may score a sample of the held-out images only.

    Of several processes that share the batches, the first does all but the training alone; the
    others yield nothing.

    On a CPU, the same configuration, threads, versions and arithmetic (``train/bf16``) give the
    same bits, whatever the number of loader workers, and whether or not the training was
    interrupted between epochs.

    Args:
        config: What to train.
        context: Data and metric.
        folder: Gets ``holdout.npz``, ``stress.npz``, ``test.npz`` and checkpoints.
        threads: CPU threads for torch.
        workers: Loader processes.
        beat: Called at every batch.
        ranks: The processes that share the batches.
        state: What an epoch's steps compute.
        start: Where another training has got to, from which this one goes on; None for the
            beginning.

    Raises:
        TrainingError: If the loss, the predictions or the contest's metric are not finite.
        InputError: If the network cannot be built.
    """
    torch.set_num_threads(threads)
    cv2.setNumThreads(0)
    beat()
    training = state(config, context, workers, ranks)
    held_out = context.folds.held_out(config.run.fold)
    if ranks.rank == 0:
        remove_leftovers(folder)
    checkpoint, notes = Checkpoint.newest(folder, config)
    own = checkpoint is not None
    if checkpoint is None and start is not None:
        checkpoint = start()
    reports: list[Report] = []
    if checkpoint is not None:
        reports = [dict(report) for report in checkpoint.reports]
        training.load(checkpoint.states, [r["metrics"]["train/loss"] for r in reports])
    if ranks.rank > 0:
        for epoch in ranks.epochs():
            training.train(epoch, beat)
        return
    if own:
        earlier = [r for r in reports[:-1] if r["epoch"] > config.run.done]
        yield Epoch(report=reports[-1], earlier=tuple(earlier), notes=notes)
        notes = ()
    else:
        notes = (*notes, *training.learned.notes)
    saving, waited = Saving(), 0.0
    for epoch in range(len(reports) + 1, config.run.last_epoch + 1):
        begun = time.perf_counter()
        ranks.begin(epoch)
        loss, seconds, images = training.train(epoch, beat)
        trained = time.perf_counter()
        last = epoch == config.run.last_epoch
        rows = held_out_rows(config, context.folds, last)
        said = predicted(training, rows, context, workers, beat)
        predictions = judged(said, context, edges=last)
        scores = _scores(predictions, rows, context)
        stressed: dict[str, float] = {}
        if context.stress is not None and (context.stress_always or last):
            stressed = _stressed(training, rows, context, folder, workers, beat, last)
        known: dict[str, float] = {}
        if last:
            known = training_score(training, context, scores, workers, beat)
        evaluated = time.perf_counter()
        _save(predictions, folder / predictions_file("holdout"), beat)
        if last:  # before the checkpoint that says that the training is done
            _predict_test(training, context, folder, workers, beat)
        report: Report = {
            "epoch": epoch,
            "metrics": {
                "train/loss": loss,
                "train/lr": max(float(group["lr"]) for group in training.optimizer.param_groups),
                **training.learned.told,
                **training.told,
                **ranks.told,
                **{f"val/{name}": value for name, value in scores.items()},
                **({"val/images": float(len(rows))} if len(rows) < len(held_out) else {}),
                **{f"stress/{name}": value for name, value in stressed.items()},
                **known,
            },
            "seconds": {
                **seconds,
                "evaluate": evaluated - trained,
                "total": evaluated - begun,
                "wait": waited,
            },
            "images": images,
        }
        reports.append(report)
        if last or saving.due:
            done = Checkpoint(
                reports=tuple(reports), config_digest=config.state_digest, states=training.states()
            )
            # Its own copy of the report cannot say how long it took.
            report["seconds"]["checkpoint"] = saving.write(done, folder, beat)
        told = time.perf_counter()
        yield Epoch(report=report, notes=notes)
        notes, waited = (), time.perf_counter() - told


def _scores(
    predictions: Predictions, rows: NDArray[np.int64], context: TrainingContext
) -> dict[str, float]:
    metrics = {**TASKS[context.task.name].metrics, context.metric.name: context.metric}
    scores = all_scores(context.folds.labels[rows], predictions.judged, metrics.values())
    if context.metric.name not in scores:
        raise TrainingError(f"{context.metric.name} is not defined on the hold-out's predictions")
    return scores | _corrected_score(predictions, rows, context)


def _corrected_score(
    predictions: Predictions, rows: NDArray[np.int64], context: TrainingContext
) -> dict[str, float]:
    """The contest's metric on labels as corrected, where there are such, and it is defined."""
    if context.corrections is None:
        return {}
    used = ~context.corrections.left_out[rows]
    if not used.any():
        return {}
    labels = context.corrections.labels[rows[used]]
    beside = _beside_corrected(predictions, rows, context)
    found = all_scores(labels, beside[used], [context.metric])
    return {corrected(name): value for name, value in found.items()}


def _beside_corrected(
    predictions: Predictions, rows: NDArray[np.int64], context: TrainingContext
) -> NDArray[np.float32]:
    """What predictions come to beside labels, or masks, as they should be."""
    changed = context.corrections
    if not isinstance(changed, MaskCorrections) or not changed.relabelled[rows].any():
        return predictions.judged
    assert context.truth is not None
    beside, some = predictions.judged.copy(), changed.relabelled[rows]
    truth = changed.truth(context.truth, rows[some].tolist())
    edges = context.metric.name in NEED_EDGES
    again = TASKS[context.task.name].judged(predictions.of(truth.images), truth, edges=edges)
    beside[some] = again.judged
    return beside


def _stressed(
    training: TrainingState,
    rows: NDArray[np.int64],
    context: TrainingContext,
    folder: Path,
    workers: int,
    beat: Beat,
    last: bool,
) -> dict[str, float]:
    """Predicts held-out images under the stress; returns the metrics."""
    said = predicted(training, rows, context, workers, beat, context.stress)
    predictions = judged(said, context, edges=last)
    scores = _scores(predictions, rows, context)
    _save(predictions, folder / predictions_file("stress"), beat)
    return scores


def _predict_test(
    training: TrainingState, context: TrainingContext, folder: Path, workers: int, beat: Beat
) -> None:
    rows = context.test_rows
    if context.predict_test and len(rows):
        predictions = predicted(training, rows, context, workers, beat)
        _save(predictions, folder / predictions_file("test"), beat)


def _save(predictions: Predictions, path: Path, beat: Beat) -> None:
    with_room(functools.partial(predictions.write, path), beat)
