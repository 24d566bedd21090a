"""Patience: a trial ends that has not got better for some epochs."""

from __future__ import annotations

import math

from search.planning.early_stopping import EarlyStopping


class Patience(EarlyStopping):
    """Ends trials whose best score is some epochs old.

    The score of a trial stays that of its last epoch: the best of many epochs would flatter it.

    Args:
        epochs: Length of a full training.
        epochs_without: Epochs without a better score after which a trial ends.
    """

    def __init__(self, *, epochs: int, epochs_without: int) -> None:
        super().__init__(epochs=epochs, grace=1 + epochs_without)
        self._epochs_without = epochs_without
        self._best: dict[str, tuple[float, int]] = {}

    def judge(self, trial_id: str, epoch: int, score: float) -> bool:
        best, since = self._best.get(trial_id, (-math.inf, epoch))
        if score > best:
            best, since = score, epoch
        self._best[trial_id] = best, since
        return epoch - since >= self._epochs_without
