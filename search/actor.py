"""The Ray actor that trains one trial after another in a warm process."""

from __future__ import annotations

import functools
import gc
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray import tune

from search.asha import SCORE
from search.job import Job, resolve_metric
from search.user_code import load_function
from spaces.trial_config import TrialConfig

if TYPE_CHECKING:
    from trainables.fit import Report, Task


class TrialActor(tune.Trainable):  # type: ignore[misc]
    """Trains the trial that its configuration names; one Tune step is one epoch.

    Whatever goes wrong is returned as a result, so that Ray has nothing to handle. Nothing but
    the shared, immutable task outlives a trial: a reused actor computes what a new one would.
    """

    def setup(self, config: dict[str, Any]) -> None:
        """Gets the trial; the training itself begins with the first step."""
        self._config = TrialConfig.from_json(config["config"])
        self._job: dict[str, Any] = config["job"]
        self._folder = Path(self._job["folder"]) / "trials" / config["trial"]
        self._reports: Iterator[Report] | None = None
        self._epoch = 0

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Takes the next trial in the same process."""
        self.cleanup()
        self.setup(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Trains an epoch.

        Returns:
            ``epoch``, ``report`` and ``score`` (larger is better), or ``failed`` and the traceback;
            ``done`` after the last.
        """
        try:
            if self._reports is None:
                self._reports = self._start()
            report = next(self._reports)
        except Exception as error:
            self.cleanup()
            return {
                "epoch": self._epoch + 1,
                "failed": f"{type(error).__name__}: {error}",
                "traceback": traceback.format_exc(),
                "done": True,
            }
        self._epoch = int(report["epoch"])
        score = report["metrics"][f"val/{self._task().metric.name}"]
        return {
            "epoch": self._epoch,
            SCORE: score if self._job["direction"] == "maximize" else -score,
            "report": report,
            "done": self._epoch >= self._config.epochs,
        }

    def cleanup(self) -> None:
        """Ends the training and its loader processes and frees its memory."""
        self._reports = None
        gc.collect()
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _start(self) -> Iterator[Report]:
        from trainables.fit import fit

        return fit(
            self._config,
            self._task(),
            self._folder,
            threads=self._job["threads"],
            workers=self._job["loader_workers"],
        )

    def _task(self) -> Task:
        return _open_task(Job(**{**self._job, "classes": tuple(self._job["classes"])}))


@functools.lru_cache(maxsize=1)
def _open_task(job: Job) -> Task:
    """Opens what the trials of a job share, once per process."""
    from trainables.fit import Task
    from trainables.folds import Folds
    from trainables.losses import build_loss
    from trainables.model import build_model
    from trainables.store import ImageStore

    return Task(
        store=ImageStore(Path(job.store)),
        folds=Folds.read(Path(job.folds)),
        classes=job.classes,
        metric=resolve_metric(job.metric, job.direction),
        model=load_function(job.model, "model") if job.model else build_model,
        loss=load_function(job.loss, "loss") if job.loss else build_loss,
        predict_test=job.predict_test,
    )
