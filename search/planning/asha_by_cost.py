"""ASHA with two objectives: what is cheaper is not stopped by what is dearer."""

from __future__ import annotations

from collections.abc import Callable

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
        cost: Of what predicts in a trial, by its id.
    """

    def __init__(
        self,
        *,
        epochs: int,
        grace: int,
        reduction: float,
        cost: Callable[[str], float],
    ) -> None:
        super().__init__(epochs=epochs, grace=grace)
        self._reduction, self._cost = reduction, cost
        self._up_to: dict[float, Asha] = {}
        self._told: list[tuple[str, int, float]] = []

    def judge(self, trial_id: str, epoch: int, score: float) -> bool:
        own = self._cost(trial_id)
        if own not in self._up_to:
            self._up_to[own] = self._among(own)
        self._told.append((trial_id, epoch, score))
        decided = {
            most: among.judge(trial_id, epoch, score)
            for most, among in self._up_to.items()
            if own <= most
        }
        return decided[own]

    def forget(self, trial_id: str) -> None:
        self._told = [one for one in self._told if one[0] != trial_id]
        for most, among in self._up_to.items():
            if self._cost(trial_id) <= most:
                among.forget(trial_id)

    def _among(self, most: float) -> Asha:
        """What would be known had trials up to a cost been compared from the start."""
        found = Asha(epochs=self.epochs, grace=self.grace, reduction=self._reduction)
        for trial_id, epoch, score in self._told:
            if self._cost(trial_id) <= most:
                found.judge(trial_id, epoch, score)
        return found
