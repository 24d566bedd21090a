"""Training: one configuration on one fold, epoch by epoch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import cv2
import torch

from spaces.trial_config import TrialConfig
from trainables.training.checkpoint import Checkpoint, remove_leftovers
from trainables.training.context import TrainingContext
from trainables.training.epoch_evaluation import EpochEvaluation
from trainables.training.ranks import ALONE, Ranks
from trainables.training.saving import Saving
from trainables.training.state import Beat, TrainingState, no_beat

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
    evaluation = EpochEvaluation(
        training=training, context=context, folder=folder, workers=workers, beat=beat
    )
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
        predictions, metrics = evaluation.scored(last=last)
        evaluated = time.perf_counter()
        evaluation.keep(predictions, "holdout")
        if last:  # before the checkpoint that says that the training is done
            evaluation.predict_test()
        report: Report = {
            "epoch": epoch,
            "metrics": {
                "train/loss": loss,
                "train/lr": max(float(group["lr"]) for group in training.optimizer.param_groups),
                **training.learned.told,
                **training.told,
                **ranks.told,
                **metrics,
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
