"""The Ray actor that trains one trial after another in a warm process."""

from __future__ import annotations

import functools
import gc
import os
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from ray import tune

from results.records.objective import objective
from search.execution.exit_note import ExitNote, read_exit_note
from search.execution.faults import fault_of
from search.execution.trial_context import trial_context
from search.execution.watchdog import Heartbeat
from search.jobs.job import Job
from search.options.user_code import load_parts
from search.planning.early_stopping import SCORE, SCORES
from spaces.trial_config import TrialConfig

if TYPE_CHECKING:
    from trainables.training.fit import Epoch

_JOB = TypeAdapter(Job)


class TrialActor(tune.Trainable):  # type: ignore[misc]
    """Trains the trial that its configuration names; one Tune step is one epoch.

    Whatever goes wrong is returned as a result, so that Ray has nothing to handle. Nothing but
    the shared, immutable task outlives a trial: a reused actor computes what a new one would.
    """

    def setup(self, config: dict[str, Any]) -> None:
        """Gets the trial; the training itself begins with the first step."""
        _import_what_trains()  # takes seconds, which are no silence
        self._job = _JOB.validate_python(config["job"])
        load_parts(self._job.parts)
        self._config = TrialConfig.from_json(config["config"])
        self._folder = Path(self._job.folder) / "trials" / config["trial"]
        read_exit_note(self._folder)  # of an attempt that nobody asked about
        self._heartbeat = Heartbeat(Path(self._job.folder), self._folder)
        self._reports: Iterator[Epoch] | None = None
        self._epoch = 0

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Takes the next trial in the same process."""
        self.cleanup()
        self.setup(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Trains an epoch.

        Returns:
            ``epoch``, ``reports`` of this epoch and of earlier ones that the ledger may lack,
            ``notes`` for the user, ``score`` (larger is better) and ``scores`` of all reports, or
            ``failed``, ``fault`` and the traceback; ``done`` after the last.
        """
        failed: dict[str, Any] = {}
        try:
            if self._reports is None:
                self._reports = self._start()
            self._heartbeat.start()
            done = next(self._reports)
        except Exception as error:
            reason, where = f"{type(error).__name__}: {error}", traceback.format_exc()
            fault = fault_of(error)
            if fault == "device":  # freeing what the frames hold would end the process, untold
                self._exit(ExitNote(fault=fault, reason=reason, traceback=where))
            failed = {
                "epoch": self._epoch + 1,
                "failed": reason,
                "fault": fault,
                "traceback": where,
                "done": True,
            }
        finally:
            self._heartbeat.stop()  # until the driver asks for more
        if failed:  # the exception, whose frames hold the training, is gone
            self.cleanup()
            return failed
        report = done.report
        self._epoch = int(report["epoch"])
        reports, over = [*done.earlier, report], self._epoch >= self._config.run.last_epoch
        if over:  # nobody knows when the next trial comes
            self.cleanup()
        metric = trial_context(self._job).metric
        key, sign = objective(self._job.objective).key(metric.name), metric.sign
        return {
            "epoch": self._epoch,
            SCORE: sign * report["metrics"][key],
            SCORES: [(int(r["epoch"]), sign * r["metrics"][key]) for r in reports],
            "reports": reports,
            "notes": list(done.notes),
            "done": over,
        }

    def cleanup(self) -> None:
        """Ends the training and its loader processes and frees its memory."""
        self._reports = None
        gc.collect()
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _start(self) -> Iterator[Epoch]:
        from search.execution.rank_group import rank_group
        from trainables.training.actions import ACTIONS

        beat = self._heartbeat.beat
        with rank_group(self._job, self._config, self._folder, beat, self._exit) as ranks:
            yield from ACTIONS.of(self._config.run)(
                self._config,
                trial_context(self._job).seen_by(self._config),
                self._folder,
                threads=self._job.threads,
                workers=self._job.loader_workers,
                beat=beat,
                ranks=ranks,
            )

    def _exit(self, note: ExitNote) -> None:
        """Ends this process, in which no trial can be trained any more."""
        note.write(self._folder)
        os._exit(1)


@functools.cache
def _import_what_trains() -> None:
    """Imports libraries once in a process, and tells the garbage collector that they stay.

    Half a million objects of theirs would be looked at again and again meanwhile, a quarter of the
    time that they take, and after every trial, which takes a quarter of a second.
    """
    gc.disable()
    try:
        import trainables.training.actions  # noqa: F401 (all that a trial imports)
    finally:
        gc.enable()
    gc.freeze()
