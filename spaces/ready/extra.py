"""Whether the labelled images of ``data.extra`` help, and how much they should count."""

from __future__ import annotations

from collections.abc import Mapping

from optuna.distributions import CategoricalDistribution, FloatDistribution

from spaces.param import Param, When
from spaces.space import SearchSpace

LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "which of the images: one weight is for all": (),
}


def extra() -> SearchSpace:
    """None of them, or all with a weight."""
    return SearchSpace(
        name="extra",
        left_out=LEFT_OUT,
        params=(
            Param(name="extra", distribution=CategoricalDistribution(("none", "all"))),
            Param(
                name="extra_weight",
                distribution=FloatDistribution(0.1, 1.0),
                when=(When(parameter="extra", values=("all",)),),
            ),
        ),
    )
