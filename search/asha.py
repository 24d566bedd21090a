"""Early stopping: ASHA over sampled trials; controls always run to the end."""

from __future__ import annotations

from typing import Any

from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler

SCORE = "score"
"""Key of the contest's metric in results; larger is better."""


class Asha(AsyncHyperBandScheduler):  # type: ignore[misc]
    """Asynchronous successive halving (Li et al., MLSys 2020) on epochs.

    Controls are not compared with sampled trials and do not enter the rungs: run to the end, they
    tell how well early scores rank final ones. A failed trial's result has no score and leaves no
    trace either.

    Args:
        epochs: Length of a full training.
        grace: Epochs that every trial may run.
        reduction: One in so many trials goes on at each rung.
    """

    def __init__(self, *, epochs: int, grace: int, reduction: float) -> None:
        super().__init__(
            time_attr="epoch",
            metric=SCORE,
            mode="max",
            max_t=epochs,
            grace_period=min(grace, epochs),
            reduction_factor=reduction,
        )

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        if trial.config["why"] == "sampled":
            super().on_trial_add(tune_controller, trial)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        if trial.config["why"] == "sampled" and not result.get("done"):
            return str(super().on_trial_result(tune_controller, trial, result))
        return str(TrialScheduler.CONTINUE)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        if trial.config["why"] == "sampled" and SCORE in result:
            super().on_trial_complete(tune_controller, trial, result)

    def on_trial_remove(self, tune_controller: Any, trial: Any) -> None:
        self._trial_info.pop(trial.trial_id, None)
