"""Which views of test-time augmentation are worth the time that they cost.

A view is taken while the mean with it gains more than its standard error over the mean without,
that with the largest gain for its time first. What so many choices are worth is judged as that of
recipes is: made on all folds but one, and scored on that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from results.ensemble.blend import paired_gains
from results.ensemble.stack import PredictionStack
from results.ensemble.view_costs import ViewCosts
from results.metrics import Metric

Predicted = NDArray[np.float32]
"""Probabilities of examples (n, classes)."""


@dataclass(frozen=True, kw_only=True)
class ViewChoice:
    """Views to use.

    Attributes:
        costs: Of all models that look, for every view that was tried.
        alone: Of every view that was tried, what the mean with it alone gains on all images, and
            the standard error of that, in points.
        found: Those that all folds together take, in their order.
        gain: What choosing so gains where it did not choose, in points.
        noise: Standard error of that.
        flattery: Points by which what was found seems to gain more than that.
    """

    costs: ViewCosts
    alone: Mapping[str, tuple[float, float]]
    found: tuple[str, ...]
    gain: float
    noise: float
    flattery: float

    @property
    def views(self) -> tuple[str, ...]:
        """Those to use: what was found, if it gains beyond noise where it was not chosen."""
        return self.found if self.gain > self.noise else ()


def choose_views(
    metric: Metric,
    stack: PredictionStack,
    plain: Predicted,
    views: Mapping[str, Predicted],
    costs: ViewCosts,
    share: float = 1.0,
) -> ViewChoice:
    """Chooses views by what they gain out of fold for the time that they cost.

    Args:
        metric: The contest's metric.
        stack: Models, of which images, folds and groups count here.
        plain: Mean predictions of all models that are blended, of images as they are.
        views: Those of images in each view.
        costs: Of all models that look.
        share: How much a view counts in the mean beside ``plain``: the share of the models that
            can look in it.
    """

    def gains(
        theirs: Predicted, ours: Mapping[str, Predicted], rows: NDArray[np.bool_]
    ) -> dict[str, tuple[float, float]]:
        """By how many points each of ours is better on some rows, and its standard error."""
        groups = None if stack.groups is None else stack.groups[rows]
        judged = [predicted[rows] for predicted in ours.values()]
        found = paired_gains(metric, stack.labels[rows], judged, theirs[rows], groups)
        return dict(zip(ours, found, strict=True))

    def mean_of(taken: list[str]) -> Predicted:
        total = plain + np.float32(share) * sum((views[v] for v in taken), np.zeros_like(plain))
        return np.asarray(total / np.float32(1 + share * len(taken)), np.float32)

    def taken(rows: NDArray[np.bool_]) -> list[str]:
        """Views, as some rows would have it."""
        found: list[str] = []
        while len(found) < len(views):
            left = {v: mean_of([*found, v]) for v in views if v not in found}
            gained = gains(mean_of(found), left, rows)
            paid = {v: gain / costs.views[v] for v, (gain, noise) in gained.items() if gain > noise}
            if not paid:
                break
            found.append(max(paid, key=lambda view: paid[view]))
        return found

    every = np.ones(len(plain), bool)
    found = taken(every)
    nested = plain.copy()
    for fold in sorted(set(stack.folds.tolist())):
        apart = stack.folds == fold
        nested[apart] = mean_of(taken(~apart))[apart]
    both = gains(plain, {"nested": nested, "inside": mean_of(found)}, stack.judged)
    gain, noise = both["nested"]
    return ViewChoice(
        costs=costs,
        alone=gains(plain, {view: mean_of([view]) for view in views}, every),
        found=tuple(found),
        gain=gain,
        noise=noise,
        flattery=max(0.0, both["inside"][0] - gain),
    )
