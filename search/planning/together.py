"""Rules side by side: a trial ends when one of them ends it."""

from __future__ import annotations

from search.planning.early_stopping import EarlyStopping


class Together(EarlyStopping):
    """Ends what any of several rules ends; all of them are told everything.

    Args:
        rules: One at least, of trainings of the same length.
    """

    def __init__(self, *rules: EarlyStopping) -> None:
        super().__init__(epochs=rules[0].epochs, grace=min(rule.grace for rule in rules))
        self._rules = rules

    def judge(self, trial_id: str, epoch: int, score: float) -> bool:
        said = [rule.judge(trial_id, epoch, score) for rule in self._rules]
        return any(said)

    def watch(self, trial_id: str, epoch: int, score: float) -> None:
        for rule in self._rules:
            rule.watch(trial_id, epoch, score)

    def forget(self, trial_id: str) -> None:
        for rule in self._rules:
            rule.forget(trial_id)
