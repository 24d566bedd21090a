"""Early stopping: ASHA over sampled trials; controls always run to the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler

from results.records.events import Report
from results.records.trials import Search, Trial
from search.internals import asha_state

SCORE = "score"
"""Key of the contest's metric in results; larger is better."""

SCORES = "scores"
"""Key of (epoch, score) of that and of earlier epochs, which a resumed trial may bring along."""

SIGNS = {"maximize": 1.0, "minimize": -1.0}
"""What makes a larger score the better one."""


@dataclass(frozen=True)
class _Known:
    """A trial by its id in the ledger, for a scheduler that knows trials by ``trial_id``."""

    trial_id: str

    @staticmethod
    def of(trial: Any) -> _Known:
        return _Known(trial.config["trial"])


class Asha(AsyncHyperBandScheduler):  # type: ignore[misc]
    """Asynchronous successive halving (Li et al., MLSys 2020) on epochs.

    Controls are not compared with sampled trials and do not enter the rungs: run to the end, they
    tell how well early scores rank final ones. A failed trial's result has no score and leaves no
    trace either. Trials are known by their ids in the ledger, so that one that goes on in another
    process, or after a restart, is compared once at each rung.

    Args:
        epochs: Length of a full training.
        grace: Epochs that every trial may run.
        reduction: One in so many trials goes on at each rung.
    """

    def __init__(self, *, epochs: int, grace: int, reduction: float) -> None:
        self.grace = min(grace, epochs)
        super().__init__(
            time_attr="epoch",
            metric=SCORE,
            mode="max",
            max_t=epochs,
            grace_period=min(grace, epochs),
            reduction_factor=reduction,
        )

    def replay(self, search: Search) -> set[str]:
        """Fills the rungs from a record, epoch by epoch in the order in which they came.

        Args:
            search: The record of this very search.

        Returns:
            Ids of trials that the last report of theirs decided to stop.
        """
        decided = set()
        for trial_id, report in search.reports:
            stop = self._enter(search, search.trials[trial_id], report)
            if stop:
                decided.add(trial_id)
            else:
                decided.discard(trial_id)
        return decided

    def take_over(self, search: Search, trial: Trial) -> None:
        """Enters a trial that was trained elsewhere: it is compared, and not stopped."""
        if trial.taken:
            for report in trial.epochs:
                self._enter(search, trial, report)

    def _enter(self, search: Search, trial: Trial, report: Report) -> bool:
        """Enters one report of a record; returns whether the trial is to stop."""
        value = report.metrics.get(search.key)
        if trial.why != "sampled" or value is None:
            return False
        known = _Known(trial.id)
        if not asha_state.is_known(self, trial.id):
            super().on_trial_add(None, known)
        result = {"epoch": report.epoch, SCORE: SIGNS[search.direction] * value}
        if report.epoch >= trial.config.run.epochs:
            super().on_trial_complete(None, known, result)
            return False
        stop = super().on_trial_result(None, known, result) == TrialScheduler.STOP
        return stop and not trial.taken

    @property
    def rungs(self) -> dict[float, dict[str, float]]:
        """Scores that were compared at each milestone, by trial."""
        return asha_state.rungs(self)

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        if trial.config["why"] == "sampled":
            super().on_trial_add(tune_controller, _Known.of(trial))

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        if trial.config["why"] == "sampled" and not result.get("done"):
            self._catch_up(trial, result)
            return str(super().on_trial_result(tune_controller, _Known.of(trial), result))
        return str(TrialScheduler.CONTINUE)

    def _catch_up(self, trial: Any, result: dict[str, Any]) -> None:
        """Enters earlier epochs one by one; those that were entered before change nothing."""
        for epoch, score in result[SCORES][:-1]:
            super().on_trial_result(None, _Known.of(trial), {"epoch": epoch, SCORE: score})

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        if trial.config["why"] == "sampled" and SCORE in result:
            self._catch_up(trial, result)
            super().on_trial_complete(tune_controller, _Known.of(trial), result)

    def on_trial_remove(self, tune_controller: Any, trial: Any) -> None:
        asha_state.forget(self, trial.config["trial"])
