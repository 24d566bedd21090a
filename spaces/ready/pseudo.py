"""Whether test images are learned from, and how: pseudo-labels of a promotion."""

from __future__ import annotations

from collections.abc import Mapping

from optuna.distributions import CategoricalDistribution, FloatDistribution

from spaces.param import Param, When
from spaces.space import SearchSpace

LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "who teaches (fix.teachers=)": ("teachers",),
}


def pseudo() -> SearchSpace:
    """None, soft or hard labels, and how much they count; ``fix.teachers=`` names the promotion."""
    taught = (When(parameter="pseudo", values=("soft", "hard")),)
    return SearchSpace(
        name="pseudo",
        left_out=LEFT_OUT,
        params=(
            Param(name="pseudo", distribution=CategoricalDistribution(("none", "soft", "hard"))),
            Param(name="pseudo_weight", distribution=FloatDistribution(0.1, 1.0), when=taught),
            Param(
                name="pseudo_threshold",
                distribution=CategoricalDistribution((0.0, 0.5, 0.8, 0.95)),
                when=taught,
            ),
        ),
    )
