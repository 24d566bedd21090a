"""ASHA with two objectives: what is cheaper is not stopped by what is dearer."""

from __future__ import annotations

from collections.abc import Callable, Collection

from search.planning.asha import Asha
from search.planning.early_stopping import EarlyStopping


class AshaByCost(EarlyStopping):
    """ASHA among trials whose networks cost no more.

    A trial that is behind dearer ones may still be the best at its price; behind equally cheap or
    cheaper ones it is on no front.

    Args:
        epochs: Length of a full training.
        grace: Epochs that every trial may run.
        reduction: One in so many trials goes on at each rung.
        costs: That networks may have.
        cost: Of the network of a trial, by its id.
    """

    def __init__(
        self,
        *,
        epochs: int,
        grace: int,
        reduction: float,
        costs: Collection[float],
        cost: Callable[[str], float],
    ) -> None:
        super().__init__(epochs=epochs, grace=grace)
        self._cost = cost
        self._up_to = {
            most: Asha(epochs=epochs, grace=grace, reduction=reduction) for most in set(costs)
        }

    def judge(self, trial_id: str, epoch: int, score: float) -> bool:
        own = self._cost(trial_id)
        decided = {
            most: among.judge(trial_id, epoch, score)
            for most, among in self._up_to.items()
            if own <= most
        }
        return decided[own]

    def forget(self, trial_id: str) -> None:
        for most, among in self._up_to.items():
            if self._cost(trial_id) <= most:
                among.forget(trial_id)
