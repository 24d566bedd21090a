"""The trials of a contest as a validation score ranks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from results.metrics import Ints, Metric
from results.trust.band import LEAST_ERROR, BandRule, Validated, competitive_band
from results.trust.unlabelled import Unlabelled
from results.trust.validation import Validation


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Trials by one validation score.

    Attributes:
        points: Scores of all trials in points, larger is better.
        band: Ids of those that compete with the best, best first.
        error: Standard error in points, of what trials do not share, on the hold-out.
        own_error: The same of ``points``.
    """

    points: Mapping[str, float]
    band: tuple[str, ...]
    error: float
    own_error: float

    def of(self, trials: Sequence[str]) -> NDArray[np.float64]:
        """Scores of some trials, float (trials,)."""
        return np.array([self.points[i] for i in trials], np.float64)

    def ranked_by(self, told: Unlabelled) -> Ranking:
        """The same band in the order of a score on unlabelled test images.

        What these say is taken as it is: its noise is in how little it tells of skill.
        """
        points = told.points(self.points, self.band)
        band = tuple(sorted(self.band, key=lambda i: -points[i]))
        return Ranking(points=points, band=band, error=self.error, own_error=LEAST_ERROR)


@dataclass(frozen=True, kw_only=True, eq=False)
class Holdout:
    """What trials were validated on, and what they said of it.

    Attributes:
        metric: The contest's metric.
        labels: int (n,).
        trials: With their predictions, by id.
        groups: str (n,), or None; whole groups are resampled.
        rule: What makes a trial competitive.
    """

    metric: Metric
    labels: Ints
    trials: Mapping[str, Validated]
    groups: NDArray[np.str_] | None
    rule: BandRule | None

    def points(self, validation: Validation, names: Sequence[str]) -> NDArray[np.float64]:
        """Scores of some trials in points, larger is better, float (names,)."""
        by = validation.of(self.metric)
        sign = self.metric.sign
        found = [sign * by.score(self.labels, validation.seen(self.trials[i])) for i in names]
        return np.array(found) / self.metric.points

    def ranking(self, validation: Validation) -> Ranking:
        """All trials by a validation score."""
        own = self.points(validation, list(self.trials)).tolist()
        points = dict(zip(self.trials, own, strict=True))
        seen = [
            Validated(id=i, probabilities=validation.seen(self.trials[i]))
            for i in sorted(self.trials, key=lambda i: -points[i])
        ]
        by = validation.of(self.metric)
        band, error = competitive_band(by, self.labels, seen, self.groups, self.rule)
        return Ranking(points=points, band=tuple(c.id for c in band), error=error, own_error=error)
