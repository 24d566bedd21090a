"""Scored submissions: what speaks for or against a validation score."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from results.metrics import Metric


@dataclass(frozen=True, kw_only=True)
class Score:
    """A public score.

    Attributes:
        trial: Trial id.
        value: The score as the leaderboard shows it.
        images: Images behind it.
        broken: Whether the trial was far behind the best when it was scored: it counts for
            diagnosis, not as evidence.
    """

    trial: str
    value: float
    images: int
    broken: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Witnesses:
    """Scored submissions, in the order in which their scores came.

    Attributes:
        trials: Ids of their trials, (n,).
        public: Public scores in points, larger is better, float (n,).
        images: Images behind each score, int (n,).
        counted: Whether each counts as evidence: all but the broken ones, bool (n,).
        family: What each is a relative of, int (n,).
    """

    trials: tuple[str, ...]
    public: NDArray[np.float64]
    images: NDArray[np.int64]
    counted: NDArray[np.bool_]
    family: NDArray[np.int64]

    @staticmethod
    def of(scores: Sequence[Score], metric: Metric, family: Mapping[str, int]) -> Witnesses:
        """Those of some public scores whose trials have a family."""
        scored = [s for s in scores if s.trial in family]
        return Witnesses(
            trials=tuple(s.trial for s in scored),
            public=np.array([metric.sign * s.value / metric.points for s in scored], np.float64),
            images=np.array([s.images for s in scored], np.int64),
            counted=np.array([not s.broken for s in scored], bool),
            family=np.array([family[s.trial] for s in scored], np.int64),
        )

    @property
    def points(self) -> dict[str, float]:
        """Public scores by trial."""
        return dict(zip(self.trials, self.public.tolist(), strict=True))

    def public_of(self, trials: Sequence[str]) -> NDArray[np.float64]:
        """Public scores of some trials, float (trials,); NaN without one."""
        points = self.points
        return np.array([points.get(i, np.nan) for i in trials], np.float64)

    def among(self, trials: Collection[str]) -> NDArray[np.bool_]:
        """Which of them are of some trials, bool (n,)."""
        known = set(trials)
        return np.array([i in known for i in self.trials], bool)

    def only(self, rows: NDArray[np.bool_]) -> Witnesses:
        """Some of them, by bool (n,)."""
        return Witnesses(
            trials=tuple(i for i, kept in zip(self.trials, rows, strict=True) if kept),
            public=self.public[rows],
            images=self.images[rows],
            counted=self.counted[rows],
            family=self.family[rows],
        )
