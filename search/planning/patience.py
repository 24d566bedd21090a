"""Patience: beside another rule, a trial ends that has not got better for some epochs."""

from __future__ import annotations

import math

from search.planning.early_stopping import EarlyStopping


class Patience(EarlyStopping):
    """Ends what another rule ends, and trials whose best score is some epochs old.

    The score of a trial stays that of its last epoch: the best of many epochs would flatter it.

    Args:
        rule: The other rule.
        epochs_without: Epochs without a better score after which a trial ends.
    """

    def __init__(self, rule: EarlyStopping, epochs_without: int) -> None:
        super().__init__(epochs=rule.epochs, grace=rule.grace)
        self._rule, self._epochs_without = rule, epochs_without
        self._best: dict[str, tuple[float, int]] = {}

    def judge(self, trial_id: str, epoch: int, score: float) -> bool:
        ended = self._rule.judge(trial_id, epoch, score)
        best, since = self._best.get(trial_id, (-math.inf, epoch))
        if score > best:
            best, since = score, epoch
        self._best[trial_id] = best, since
        return ended or epoch - since >= self._epochs_without

    def watch(self, epoch: int, score: float) -> None:
        self._rule.watch(epoch, score)

    def forget(self, trial_id: str) -> None:
        self._rule.forget(trial_id)
