"""Trainings whose batches processes share, as an actor runs them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from search.execution.exit_note import ExitNote
from search.execution.rank_group import rank_group
from search.jobs.job import Job
from search.options.user_code import own_functions
from spaces.trial_config import TrialConfig
from trainables.training.context import TrainingContext
from trainables.training.fit import Epoch, fit
from trainables.training.state import Beat, no_beat


def job_of(context: TrainingContext, folder: Path, processes: int = 2, model: str = "") -> Job:
    return Job(
        competition="c",
        name="j",
        folder=str(folder),
        store=str(context.store.path),
        local_store="",
        folds=str(context.folds.write(folder)),
        corrections="",
        focus="",
        extra="",
        teachers=(),
        classes=context.classes,
        metric=context.metric.name,
        direction="maximize",
        task=context.task.name,
        model=model,
        parts=(),
        loss="",
        predict_test=False,
        stress="",
        truth="" if context.truth is None else str(context.truth.write(folder)),
        objective="metric",
        threads=1,
        loader_workers=0,
        processes=processes,
    )


def shared(
    config: TrialConfig,
    context: TrainingContext,
    folder: Path,
    *,
    processes: int = 2,
    beat: Beat = no_beat,
    lost: list[ExitNote] | None = None,
) -> Iterator[Epoch]:
    """Trains as an actor does with ``resources.processes=2``."""
    folder.mkdir(parents=True, exist_ok=True)
    job = job_of(context, folder.parent, processes, config.model.kind if config.model.own else "")
    noted = [] if lost is None else lost
    context = dataclasses.replace(context, own=own_functions(model=job.model, loss=""))
    with rank_group(job, config, folder, beat, noted.append) as ranks:
        yield from fit(config, context, folder, beat=beat, ranks=ranks)
