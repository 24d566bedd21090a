"""What views of test-time augmentation cost: time, as it was measured."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ViewCosts:
    """What it costs to look at images once more.

    Attributes:
        seconds: Per image as it is.
        views: How many times that each view takes.
    """

    seconds: float
    views: Mapping[str, float]

    @staticmethod
    def together(costs: Collection[ViewCosts]) -> ViewCosts:
        """Those of models that look at the same images in the same views."""
        seconds = sum(cost.seconds for cost in costs)
        first, *_ = costs
        views = {v: sum(c.seconds * c.views[v] for c in costs) / seconds for v in first.views}
        return ViewCosts(seconds=seconds, views=views)
