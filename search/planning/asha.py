"""ASHA as published and as Ray Tune has it: at each rung, one of so many trials goes on."""

from __future__ import annotations

from dataclasses import dataclass

from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler

from search.internals import asha_state
from search.planning.early_stopping import SCORE, EarlyStopping


@dataclass(frozen=True)
class _Known:
    """A trial by its id in the ledger, for a scheduler that knows trials by ``trial_id``."""

    trial_id: str


class Asha(EarlyStopping):
    """Asynchronous successive halving (Li et al., MLSys 2020) on epochs.

    Controls are not compared with sampled trials and do not enter the rungs: run to the end, they
    tell how well early scores rank final ones.

    Args:
        epochs: Length of a full training.
        grace: Epochs that every trial may run.
        reduction: One in so many trials goes on at each rung.
    """

    def __init__(self, *, epochs: int, grace: int, reduction: float) -> None:
        super().__init__(epochs=epochs, grace=grace)
        self._halving = AsyncHyperBandScheduler(
            time_attr="epoch",
            metric=SCORE,
            mode="max",
            max_t=epochs,
            grace_period=self.grace,
            reduction_factor=reduction,
        )

    def judge(self, trial_id: str, epoch: int, score: float) -> bool:
        known, result = _Known(trial_id), {"epoch": epoch, SCORE: score}
        if not asha_state.is_known(self._halving, trial_id):
            self._halving.on_trial_add(None, known)
        if epoch >= self.epochs:
            self._halving.on_trial_complete(None, known, result)
            return False
        return bool(self._halving.on_trial_result(None, known, result) == TrialScheduler.STOP)

    def forget(self, trial_id: str) -> None:
        asha_state.forget(self._halving, trial_id)

    @property
    def rungs(self) -> dict[float, dict[str, float]]:
        """Scores that were compared at each milestone, by trial."""
        return asha_state.rungs(self._halving)
