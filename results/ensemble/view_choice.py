"""Which views of test-time augmentation are worth the time that they cost.

A view is taken while the mean with it gains more than its standard error over the mean without,
that with the largest gain for its time first. What so many choices are worth is judged as that of
recipes is: made on all folds but one, and scored on that one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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


def mean_with(plain: Predicted, views: Sequence[Predicted], share: float) -> Predicted:
    """The mean of predictions of images as they are and of some in views, float32 (n, classes).

    Args:
        plain: Mean predictions of all models that are blended, of images as they are.
        views: Those of the models that look, of images in each view.
        share: How much a view counts beside ``plain``: the share of the models that look.
    """
    total = plain + np.float32(share) * sum(views, np.zeros_like(plain))
    return np.asarray(total / np.float32(1 + share * len(views)), np.float32)


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

    def mean_of(taken: Sequence[str]) -> Predicted:
        return mean_with(plain, [views[view] for view in taken], share)

    def gains(
        theirs: Predicted, ours: Mapping[str, Predicted], rows: NDArray[np.bool_]
    ) -> Iterator[tuple[str, tuple[float, float]]]:
        """By how many points each of ours is better on some rows, and its standard error."""
        groups = None if stack.groups is None else stack.groups[rows]
        judged = (predicted[rows] for predicted in ours.values())
        found = paired_gains(metric, stack.labels[rows], judged, theirs[rows], groups)
        return zip(ours, found, strict=True)

    def taken(rows: NDArray[np.bool_]) -> list[str]:
        """Views, as some rows would have it."""
        labels, found = stack.labels[rows], list[str]()
        while True:
            before = mean_of(found)
            score = metric.score(labels, before[rows])
            left = {view: mean_of([*found, view]) for view in views if view not in found}
            ahead = {
                view: metric.gain(metric.score(labels, mean[rows]), score) / costs.views[view]
                for view, mean in left.items()
            }
            # The first that is beyond noise is taken: most need not be resampled.
            order = sorted((v for v in left if ahead[v] > 0), key=lambda view: -ahead[view])
            gained = gains(before, {view: left[view] for view in order}, rows)
            best = next((view for view, (gain, noise) in gained if gain > noise), None)
            if best is None:
                return found
            found.append(best)

    every = np.ones(len(plain), bool)
    found = taken(every)
    nested = plain.copy()
    for fold in sorted(set(stack.folds.tolist())):
        apart = stack.folds == fold
        nested[apart] = mean_of(taken(~apart))[apart]
    both = dict(gains(plain, {"nested": nested, "inside": mean_of(found)}, stack.judged))
    gain, noise = both["nested"]
    return ViewChoice(
        costs=costs,
        alone=dict(gains(plain, {view: mean_of([view]) for view in views}, every)),
        found=tuple(found),
        gain=gain,
        noise=noise,
        flattery=max(0.0, both["inside"][0] - gain),
    )
