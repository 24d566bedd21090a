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

from results.records.objective import STRESS, objective
from search.execution.exit_note import ExitNote, read_exit_note
from search.execution.watchdog import Heartbeat
from search.jobs.job import Job, resolve_metric
from search.options.user_code import load_parts, own_functions
from search.planning.early_stopping import SCORE, SCORES, SIGNS
from spaces.augmentation.candidates import Candidates
from spaces.augmentation.stress import Stress
from spaces.trial_config import TrialConfig

if TYPE_CHECKING:
    from trainables.training.context import TrainingContext
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
            failed = {
                "epoch": self._epoch + 1,
                "failed": f"{type(error).__name__}: {error}",
                "fault": fault_of(error),
                "traceback": traceback.format_exc(),
                "done": True,
            }
        finally:
            self._heartbeat.stop()  # until the driver asks for more
        if failed:  # the exception, whose frames hold the training, is gone
            if failed["fault"] == "device":  # no trial can be trained in this process any more
                ExitNote(
                    fault="device", reason=failed["failed"], traceback=failed["traceback"]
                ).write(self._folder)
                os._exit(1)
            self.cleanup()
            return failed
        report = done.report
        self._epoch = int(report["epoch"])
        reports = [*done.earlier, report]
        compared, sign = objective(self._job.objective), SIGNS[self._job.direction]
        key = compared.key(self._task().metric.name)
        return {
            "epoch": self._epoch,
            SCORE: sign * report["metrics"][key],
            SCORES: [(int(r["epoch"]), sign * r["metrics"][key]) for r in reports],
            "reports": reports,
            "notes": list(done.notes),
            "done": self._epoch >= self._config.run.epochs,
        }

    def cleanup(self) -> None:
        """Ends the training and its loader processes and frees its memory."""
        self._reports = None
        gc.collect()
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _start(self) -> Iterator[Epoch]:
        from trainables.training.actions import ACTIONS

        return ACTIONS.of(self._config.run)(
            self._config,
            self._task(),
            self._folder,
            threads=self._job.threads,
            workers=self._job.loader_workers,
            beat=self._heartbeat.beat,
        )

    def _task(self) -> TrainingContext:
        return _open_task(self._job)


@functools.cache
def _import_what_trains() -> None:
    """Imports libraries once in a process, and tells the garbage collector that they stay.

    Half a million objects of theirs would be looked at after every trial, which takes a quarter of
    a second.
    """
    import trainables.training.actions  # noqa: F401 (all that a trial imports)

    gc.freeze()


def fault_of(error: Exception) -> str:
    """What kind of fault an exception stands for; empty if the trial itself is at fault."""
    import torch

    words = str(error)
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or any(
        sign in words for sign in _MEMORY_SIGNS
    ):
        return "memory"
    if isinstance(error, RuntimeError) and "DataLoader worker (pid" in words:
        return "death"
    broken = getattr(torch, "AcceleratorError", None)
    if (broken is not None and isinstance(error, broken)) or "CUDA error" in words:
        return "device"
    return ""


_MEMORY_SIGNS = (
    "DefaultCPUAllocator",
    "CUDA out of memory",
    "CUDA error: out of memory",
    "ALLOC_FAILED",
)
"""How torch says that memory is short where it raises a plain RuntimeError."""


@functools.lru_cache(maxsize=1)
def _open_task(job: Job) -> TrainingContext:
    """Opens what the trials of a job share, once per process."""
    from results.masks.truth import Truth
    from trainables.data.boxes import stored_boxes
    from trainables.data.contest_corrections import stored_corrections
    from trainables.data.extra import ExtraImages
    from trainables.data.folds import Folds
    from trainables.data.image_store import ImageStore
    from trainables.data.mask_teachers import MaskTeachers
    from trainables.data.teachers import Teachers
    from trainables.tasks.tasks import training_task
    from trainables.training.context import TrainingContext

    store, folds = ImageStore(Path(job.store)), Folds.read(Path(job.folds))
    truth = Truth.read(Path(job.truth)) if job.truth else None
    corrections = None
    if job.corrections:
        path = Path(job.corrections)
        corrections = stored_corrections(path, folds.images, folds.labels, job.classes, truth)
    return TrainingContext(
        task=training_task(job.task),
        store=store.copied_to(Path(job.local_store)) if job.local_store else store,
        folds=folds,
        extra=ExtraImages.read(Path(job.extra)) if job.extra else None,
        teachers={
            name: (MaskTeachers if job.truth else Teachers).read(Path(path))
            for name, path in job.teachers
        },
        classes=job.classes,
        metric=resolve_metric(job.metric, job.direction, job.task),
        own=own_functions(model=job.model, loss=job.loss),
        corrections=corrections,
        truth=truth,
        focus=stored_boxes(Path(job.folder).parent, job.focus),
        candidates=Candidates.read(Path(job.candidates)) if job.candidates else None,
        predict_test=job.predict_test,
        stress=Stress.read(Path(job.stress)) if job.stress else None,
        stress_always=job.objective == STRESS,
    )
