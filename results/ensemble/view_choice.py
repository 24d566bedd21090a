"""Which views of test-time augmentation are worth the pixels that they cost.

A view is taken while the mean with it gains more than its standard error over the mean without,
that with the largest gain for its pixels first. What so many choices are worth is judged as that of
recipes is: made on all folds but one, and scored on that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from results.ensemble.blend import paired_gain
from results.ensemble.stack import PredictionStack
from results.metrics import Metric

Predicted = NDArray[np.float32]
"""Probabilities of examples (n, classes)."""


@dataclass(frozen=True, kw_only=True)
class ViewChoice:
    """Views to use.

    Attributes:
        alone: Of every view that was tried, what the mean with it alone gains, and the standard
            error of that, in points.
        found: Those that all folds together take, in their order.
        gain: What these gain where they were not chosen, in points.
        noise: Standard error of that.
    """

    alone: Mapping[str, tuple[float, float]]
    found: tuple[str, ...]
    gain: float
    noise: float

    @property
    def views(self) -> tuple[str, ...]:
        """Those to use: what was found, if it gains beyond noise where it was not chosen."""
        return self.found if self.gain > self.noise else ()


def choose_views(
    metric: Metric,
    stack: PredictionStack,
    plain: Predicted,
    views: Mapping[str, Predicted],
    costs: Mapping[str, float],
) -> ViewChoice:
    """Chooses views by what they gain out of fold for the pixels that they cost.

    Args:
        metric: The contest's metric.
        stack: Models, of which images, folds and groups count here.
        plain: Predictions of images as they are.
        views: Those of images in each view.
        costs: How many times the pixels of the image itself each view sees.
    """

    def gained(ours: Predicted, theirs: Predicted, rows: NDArray[np.bool_]) -> tuple[float, float]:
        groups = None if stack.groups is None else stack.groups[rows]
        return paired_gain(metric, stack.labels[rows], ours[rows], theirs[rows], groups)

    def taken(rows: NDArray[np.bool_]) -> tuple[list[str], Predicted]:
        """Views, and what the mean with them predicts, as some rows would have it."""
        found: list[str] = []
        total, mean = plain.copy(), plain
        while True:
            best, most = "", 0.0
            for view in views.keys() - found:
                together = (total + views[view]) / np.float32(len(found) + 2)
                gain, noise = gained(together, mean, rows)
                if gain > noise and (gain / costs[view], view) > (most, best):
                    best, most = view, gain / costs[view]
            if not best:
                return found, mean
            found.append(best)
            total = total + views[best]
            mean = total / np.float32(len(found) + 1)

    nested = plain.copy()
    for fold in sorted(set(stack.folds.tolist())):
        apart = stack.folds == fold
        nested[apart] = taken(~apart)[1][apart]
    gain, noise = gained(nested, plain, stack.judged)
    return ViewChoice(
        alone={
            view: gained((plain + seen) / np.float32(2), plain, stack.judged)
            for view, seen in views.items()
        },
        found=tuple(taken(np.ones(len(plain), bool))[0]),
        gain=gain,
        noise=noise,
    )
