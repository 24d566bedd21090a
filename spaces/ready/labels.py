"""What is made of corrected labels."""

from __future__ import annotations

from collections.abc import Mapping

from optuna.distributions import CategoricalDistribution, FloatDistribution

from spaces.param import Param, When
from spaces.space import SearchSpace

LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "proposals that nobody accepted: what is corrected is data.corrections=": (),
}


def labels() -> SearchSpace:
    """Labels as given, or corrected images relabelled, dropped or counted less."""
    kinds = ("given", "relabel", "drop", "downweight")
    return SearchSpace(
        name="labels",
        left_out=LEFT_OUT,
        params=(
            Param(name="labels", distribution=CategoricalDistribution(kinds)),
            Param(
                name="label_weight",
                distribution=FloatDistribution(0.05, 0.95),
                when=(When(parameter="labels", values=("downweight",)),),
            ),
        ),
    )
