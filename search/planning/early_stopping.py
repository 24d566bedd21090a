"""Early stopping as Tune and the ledger see it; a rule says which trials it ends."""

from __future__ import annotations

from typing import Any

from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from results.records.events import Report, Why
from results.records.trial import Trial
from results.records.trials import Search

SCORE = "score"
"""Key of what trials are compared by in results; larger is better."""

SCORES = "scores"
"""Key of (epoch, score) of that and of earlier epochs, which a resumed trial may bring along."""


class EarlyStopping(FIFOScheduler):  # type: ignore[misc]
    """Ends sampled trials early; controls run to the end. Without a rule it ends none.

    A failed trial's result has no score and leaves no trace. Trials are known by their ids in the
    ledger, so that one that goes on in another process, or after a restart, is judged once at each
    epoch. A rule may know nothing but what it is given here, in the order of the ledger: so a
    replay decides what was decided.

    Args:
        epochs: Length of a full training.
        grace: Epochs that every trial may run.
    """

    def __init__(self, *, epochs: int, grace: int) -> None:
        super().__init__()
        self.epochs, self.grace = epochs, min(grace, epochs)
        self._entered: dict[str, int] = {}

    def judge(self, trial_id: str, epoch: int, score: float) -> bool:
        """Takes a sampled trial's score in, of each epoch in turn; returns whether it is to stop.

        What it says of the last epoch does not matter.
        """
        return False

    def watch(self, epoch: int, score: float) -> None:
        """Takes the baseline's score in."""

    def forget(self, trial_id: str) -> None:
        """Lets go of what only a trial that goes on needs."""

    def replay(self, search: Search) -> set[str]:
        """Takes in a record, epoch by epoch in the order in which they came.

        Args:
            search: The record of this very search.

        Returns:
            Ids of trials that the last report of theirs decided to stop.
        """
        decided = set()
        for trial_id, report in search.reports:
            trial = search.trials[trial_id]
            if self._read(search, trial, report) and not trial.revived:
                decided.add(trial_id)
            else:
                decided.discard(trial_id)
        return decided

    def take_over(self, search: Search, trial: Trial) -> None:
        """Takes in a trial that was trained elsewhere: it is compared, and not stopped."""
        if trial.taken:
            for report in trial.epochs:
                self._read(search, trial, report)

    def _read(self, search: Search, trial: Trial, report: Report) -> bool:
        """Takes in one report of a record; returns whether the trial is to stop."""
        value = report.metrics.get(search.key)
        if value is None:
            return False
        score = search.sign * value
        return self._enter(trial.id, trial.why, report.epoch, score) and not trial.taken

    def _enter(self, trial_id: str, why: Why, epoch: int, score: float) -> bool:
        if why not in ("baseline", "sampled") or epoch <= self._entered.get(trial_id, 0):
            return False
        self._entered[trial_id] = epoch
        if why == "baseline":
            self.watch(epoch, score)
            return False
        return self.judge(trial_id, epoch, score) and epoch < self.epochs

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Tune's question after an epoch that was not the last."""
        stop = False
        if SCORE in result:
            for epoch, score in (*result[SCORES][:-1], (result["epoch"], result[SCORE])):
                stop = self._enter(trial.config["trial"], trial.config["why"], epoch, score)
        stop = stop and not trial.config.get("revived", False)
        return str(TrialScheduler.STOP if stop else TrialScheduler.CONTINUE)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        """Tune's word of a last result."""
        self.on_trial_result(tune_controller, trial, result)

    def on_trial_remove(self, tune_controller: Any, trial: Any) -> None:
        """Tune's word of a trial that broke."""
        self.forget(trial.config["trial"])
