"""Pace: a trial that is behind where others were long before is ended."""

from __future__ import annotations

import bisect
import math
from collections import defaultdict
from collections.abc import Iterable

from search.planning.early_stopping import EarlyStopping

SLOWER = 2.0
"""How many times slower than the best others a trial may be."""

BEST = 0.8
"""Quantile of the others' scores that it is compared with: a fifth of them were better."""

SLOWER_THAN_BASELINE = 6.0
"""How many times slower than the baseline, which takes few epochs to learn what it can."""

SMOOTHED = 2
"""Epochs of which the best counts, so that one bad epoch ends nothing."""


class Pace(EarlyStopping):
    """Ends trials that have fallen behind the pace of those before them.

    After each epoch a trial has to be where the best fifth of the other sampled trials were after
    half as many epochs, and where the baseline was after a sixth. So it depends on no unit of the
    metric, a slow start is no harm as long as it is not half as fast as the others, and the first
    trials can be ended, too: by the baseline, and by trials of earlier searches.

    Args:
        epochs: Length of a full training.
        grace: Epochs that every trial may run.
        earlier: Scores of earlier searches' trials after each epoch; larger is better.
    """

    def __init__(
        self, *, epochs: int, grace: int, earlier: Iterable[tuple[float, ...]] = ()
    ) -> None:
        super().__init__(epochs=epochs, grace=grace)
        self._baseline: dict[int, float] = {}
        self._own: dict[str, dict[int, float]] = {}
        self._after: defaultdict[int, list[float]] = defaultdict(list)
        for scores in earlier:
            for epoch, score in enumerate(scores, start=1):
                bisect.insort(self._after[epoch], score)

    def judge(self, trial_id: str, epoch: int, score: float) -> bool:
        own = self._own.setdefault(trial_id, {})
        own[epoch] = score
        bisect.insort(self._after[epoch], score)
        if epoch < self.grace:
            return False
        reached = max(own[e] for e in range(epoch - SMOOTHED + 1, epoch + 1) if e in own)
        then = int(epoch / SLOWER_THAN_BASELINE)
        if reached < self._baseline.get(then, -math.inf):
            return True
        then = int(epoch / SLOWER)
        return reached < self._asked(then, own.get(then))

    def _asked(self, epoch: int, own: float | None) -> float:
        """The `BEST` quantile of the others' scores after an epoch; nothing without any."""
        scores = self._after[epoch]
        skipped = len(scores) if own is None else bisect.bisect_left(scores, own)
        others = len(scores) - (own is not None)
        if not others:
            return -math.inf
        place = BEST * (others - 1)
        low, high = (scores[i + (i >= skipped)] for i in (math.floor(place), math.ceil(place)))
        return low + (high - low) * (place % 1)

    def watch(self, epoch: int, score: float) -> None:
        self._baseline[epoch] = score
