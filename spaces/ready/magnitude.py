"""How strong each group of operations may get."""

from __future__ import annotations

from collections.abc import Mapping

from optuna.distributions import CategoricalDistribution, FloatDistribution

from spaces.augmentation.magnitude import GROUPS
from spaces.param import Param
from spaces.space import SearchSpace

LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "a strength and a probability of each operation by itself (aug_policy)": ("stage*",),
    "mixing (mixing)": ("mix*",),
}


def magnitude() -> SearchSpace:
    """A strength per group, from none to the searched range, and mirroring or not."""
    knobs = tuple(
        Param(name=f"magnitude.{group}", distribution=FloatDistribution(0.0, 1.0))
        for group in GROUPS
    )
    return SearchSpace(
        name="magnitude",
        left_out=LEFT_OUT,
        params=(
            Param(name="policy", distribution=CategoricalDistribution(("magnitude",))),
            Param(name="magnitude.flip", distribution=CategoricalDistribution((0.0, 0.5))),
            *knobs,
        ),
    )
