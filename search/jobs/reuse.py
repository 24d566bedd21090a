"""Trainings of other jobs whose results can be taken over instead of being made again."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from pathlib import Path

from results.predictions import predictions_file
from results.records.objective import objective
from results.records.searches import whole_searches
from results.records.trial import Trial
from results.records.trials import Search
from search.jobs.job import Prepared
from search.jobs.retention import mark_kept
from spaces.trial_config import TrialConfig
from trainables.training.checkpoint import Checkpoint
from trainables.training.ranks import PROCESSES


class KnownTrainings:
    """Finds trainings that ran to their end on the same data and folds, with the same sources.

    They have the predictions and the metric that this job needs. Functions of one's own have to be
    the same as well, unless a training has nothing to do with any.

    Args:
        prepared: This job.
        weights: Whether checkpoints are needed, too, as exports of promotions do.
        accept: Changes that are let through; ``code`` takes over from other sources, too.
    """

    def __init__(self, prepared: Prepared, *, weights: bool, accept: Collection[str]) -> None:
        self._job, self._weights = prepared.job.name, weights
        self._found: dict[str, tuple[Search, Trial]] = {}
        job, opened = prepared.job, prepared.opening
        tested = job.predict_test and opened.images.test
        compared = objective(job.objective).key(opened.metric)
        parts = ["holdout", *(["test"] if tested else []), *(["stress"] if job.stress else [])]
        for search in whole_searches(Path(job.folder).parent):
            theirs = search.opened
            same = theirs.data.digest == opened.data.digest
            same = same and theirs.folds.digest == opened.folds.digest
            same = same and theirs.corrections == opened.corrections  # reports score on these, too
            same_stress = not job.stress or theirs.digests.stress == opened.digests.stress
            same_code = theirs.digests.code == opened.digests.code or "code" in accept
            # A folder that was renamed or copied has not the files that its record names.
            if (
                search.id == job.name
                or search.folder.name != search.id
                or not (same and same_stress and same_code)
            ):
                continue
            registers = bool(job.parts) or bool(theirs.options.get("parts"))
            own_metric = ":" in str(theirs.options.get("metric", "")) + job.metric
            same_own = theirs.digests.own == opened.digests.own
            for trial in search.trials.values():
                config = trial.config
                named = config.model.own or config.loss.own or bool(config.data.prepare)
                own = own_metric or registers or named
                if trial.state != "finished" or trial.taken or (own and not same_own):
                    continue
                taught = getattr(trial.config.pseudo, "teachers", "")
                if taught and theirs.teachers[taught] != opened.teachers.get(taught):
                    continue
                folder = search.trial_folder(trial)
                whole = all((folder / predictions_file(part)).exists() for part in parts)
                # Batch normalisation sees what one process computes at once.
                processes = trial.epochs[-1].metrics.get(PROCESSES, 1)
                whole = whole and processes == job.processes
                if whole and trial.reported(compared) is not None:
                    self._found[trial.config.digest] = search, trial

    def find(self, config: TrialConfig) -> Trial | None:
        """The training of a configuration; None if there is none."""
        search, trial = self._found.get(config.digest, (None, None))
        if search is None or trial is None or not self._weights:
            return trial
        folder = search.trial_folder(trial)
        checkpoint, _ = Checkpoint.newest(folder, trial.config)
        if checkpoint is None:
            return None
        with contextlib.suppress(OSError):  # somebody else's folder
            mark_kept(folder, self._job)
        return trial
