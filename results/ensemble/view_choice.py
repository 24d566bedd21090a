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


@dataclass(frozen=True, kw_only=True, eq=False)
class _Offered:
    """Views that are tried beside images as they are, with the arguments of `choose_views`."""

    metric: Metric
    stack: PredictionStack
    plain: Predicted
    views: Mapping[str, Predicted]
    costs: ViewCosts
    share: float

    def mean_of(self, taken: Sequence[str]) -> Predicted:
        """The mean with some views, float32 (n, classes)."""
        return mean_with(self.plain, [self.views[view] for view in taken], self.share)

    def gains(
        self, theirs: Predicted, ours: Mapping[str, Predicted], rows: NDArray[np.bool_]
    ) -> Iterator[tuple[str, tuple[float, float]]]:
        """By how many points each of ours is better on some rows, and its standard error."""
        stack = self.stack
        groups = None if stack.groups is None else stack.groups[rows]
        judged = (predicted[rows] for predicted in ours.values())
        found = paired_gains(self.metric, stack.labels[rows], judged, theirs[rows], groups)
        return zip(ours, found, strict=True)

    def taken(self, rows: NDArray[np.bool_]) -> list[str]:
        """Views, as some rows would have it."""
        metric, labels, found = self.metric, self.stack.labels[rows], list[str]()
        while True:
            before = self.mean_of(found)
            score = metric.score(labels, before[rows])
            left = {view: self.mean_of([*found, view]) for view in self.views if view not in found}
            ahead = {
                view: metric.gain(metric.score(labels, mean[rows]), score) / self.costs.views[view]
                for view, mean in left.items()
            }
            # The first that is beyond noise is taken: most need not be resampled.
            order = sorted((v for v in left if ahead[v] > 0), key=lambda view: -ahead[view])
            gained = self.gains(before, {view: left[view] for view in order}, rows)
            best = next((view for view, (gain, noise) in gained if gain > noise), None)
            if best is None:
                return found
            found.append(best)


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
    offered = _Offered(
        metric=metric, stack=stack, plain=plain, views=views, costs=costs, share=share
    )
    every = np.ones(len(plain), bool)
    found = offered.taken(every)
    nested = plain.copy()
    for fold in sorted(set(stack.folds.tolist())):
        apart = stack.folds == fold
        nested[apart] = offered.mean_of(offered.taken(~apart))[apart]
    chosen = {"nested": nested, "inside": offered.mean_of(found)}
    both = dict(offered.gains(plain, chosen, stack.judged))
    gain, noise = both["nested"]
    alone = {view: offered.mean_of([view]) for view in views}
    return ViewChoice(
        costs=costs,
        alone=dict(offered.gains(plain, alone, every)),
        found=tuple(found),
        gain=gain,
        noise=noise,
        flattery=max(0.0, both["inside"][0] - gain),
    )
