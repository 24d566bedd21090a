"""The competitive band: trials so little behind the best that they compete with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from results.metrics import Ints, Metric
from results.stats.bootstrap import bootstrap_scores

BROKEN = 3.0
"""Trials so many times further behind the best than the band is wide are broken."""

LOOKED_AT = 200
"""Candidates, best first, among which the band is sought."""

LEAST_ERROR = 1e-3
"""Points; a hold-out without any error would have none."""

_DRAWS = 200


@dataclass(frozen=True, kw_only=True)
class BandRule:
    """How far behind the best a trial may be to compete with it: the larger of the two.

    Attributes:
        points: Points of the metric.
        errors: Standard errors of the paired difference.
    """

    points: float = 3.0
    errors: float = 3.0

    def broken(self, gap: float) -> bool:
        """Whether a trial this many points behind the best is broken."""
        return gap > BROKEN * self.points


@dataclass(frozen=True, kw_only=True)
class Validated:
    """A finished trial with its hold-out predictions.

    Attributes:
        id: Trial id.
        probabilities: float (n, classes), on the hold-out.
        stressed: The same under the stress; None where it has not been asked for.
    """

    id: str
    probabilities: NDArray[np.floating]
    stressed: NDArray[np.floating] | None = None


def competitive_band(
    metric: Metric,
    labels: Ints,
    candidates: Sequence[Validated],
    groups: NDArray[np.str_] | None = None,
    rule: BandRule | None = None,
) -> tuple[list[Validated], float]:
    """The trials so little behind the best that they compete with it.

    Args:
        metric: The contest's metric.
        labels: int (n,), of the hold-out.
        candidates: Best first.
        groups: str (n,), or None.
        rule: How far behind the best a trial may be.

    Returns:
        The band, best first, and the standard error, in points, of what its trials do not share;
        nothing, and the least error, of no candidates.
    """
    rule = rule or BandRule()
    looked = list(candidates[:LOOKED_AT])
    if not looked:
        return [], LEAST_ERROR
    sign = metric.sign
    drawn = bootstrap_scores(metric, labels, [c.probabilities for c in looked], _DRAWS, groups)
    scores = sign * drawn / metric.points
    gap = scores[0, 0] - scores[:, 0]
    paired = np.nanstd(scores[0, 1:] - scores[:, 1:], axis=1)
    inside = gap <= np.maximum(rule.errors * paired, rule.points)
    band = [c for c, keep in zip(looked, inside, strict=True) if keep]
    if len(band) < 2:
        return band, max(float(np.nanstd(scores[0, 1:])), LEAST_ERROR)
    own = scores[inside][:, 1:]
    own = own - own.mean(axis=0)
    error = float(np.sqrt(np.nanvar(own, axis=1).mean() * len(band) / (len(band) - 1)))
    return band, max(error, LEAST_ERROR)


def as_good(
    metric: Metric,
    labels: Ints,
    candidates: Sequence[Validated],
    groups: NDArray[np.str_] | None = None,
) -> list[str]:
    """Ids of those that the hold-out tells from the best by less than half a standard error.

    Public scores that cannot tell a band apart are no proof that its members are equal: of 300
    public images nearly every band is such. Among these few the cheaper costs next to nothing.

    Args:
        metric: The contest's metric.
        labels: int (n,), of the hold-out.
        candidates: Best first.
        groups: str (n,), or None.
    """
    drawn = bootstrap_scores(metric, labels, [c.probabilities for c in candidates], _DRAWS, groups)
    scores = metric.sign * drawn
    paired = np.nanstd(scores[0, 1:] - scores[:, 1:], axis=1)
    near = scores[0, 0] - scores[:, 0] <= paired / 2
    return [c.id for c, keep in zip(candidates, near, strict=True) if keep]
