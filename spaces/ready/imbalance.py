"""What to do about rare classes: show them more often, or count them more."""

from __future__ import annotations

from collections.abc import Mapping

from optuna.distributions import CategoricalDistribution, FloatDistribution

from spaces.param import Param, When
from spaces.space import SearchSpace

LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "groups, which data have to have (groups=True)": ("sampling.grouped",),
    "soft F1 (loss)": ("loss.soft_f1", "f1_share"),
}


def imbalance(groups: bool = False) -> SearchSpace:
    """Samplings and weights of classes, each by degrees, with the losses that mind rare classes.

    Args:
        groups: Whether groups may be shown equally often, too; the data has to have them.
    """
    samplings = ("uniform", "balanced", "grouped") if groups else ("uniform", "balanced")
    return SearchSpace(
        name="imbalance",
        left_out=LEFT_OUT,
        params=(
            Param(name="sampling", distribution=CategoricalDistribution(samplings)),
            Param(
                name="balance",
                distribution=FloatDistribution(0.2, 1.0),
                when=(When(parameter="sampling", values=("balanced",)),),
            ),
            Param(
                name="weighting",
                distribution=CategoricalDistribution(("none", "balanced", "effective")),
            ),
            Param(
                name="weight_power",
                distribution=FloatDistribution(0.2, 1.0),
                when=(When(parameter="weighting", values=("balanced",)),),
            ),
            Param(
                name="effective_beta",
                distribution=CategoricalDistribution((0.9, 0.99, 0.999)),
                when=(When(parameter="weighting", values=("effective",)),),
            ),
            Param(name="loss", distribution=CategoricalDistribution(("cross_entropy", "focal"))),
            Param(
                name="gamma",
                distribution=FloatDistribution(0.5, 5.0),
                when=(When(parameter="loss", values=("focal",)),),
            ),
        ),
    )
