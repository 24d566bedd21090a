"""The loss, and how far its targets are smoothed."""

from __future__ import annotations

from collections.abc import Mapping

from optuna.distributions import CategoricalDistribution, FloatDistribution

from spaces.param import Param, When
from spaces.space import SearchSpace

LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "losses of masks (segmentation)": ("entropy_share", "boundary_weight"),
    "weights of classes (imbalance)": ("weighting", "weight_power", "effective_beta"),
    "other sums (fix.terms=)": (),
}


def loss() -> SearchSpace:
    """Cross entropy, focal, binary, with soft F1, or a sum, each with label smoothing."""
    kinds = ("cross_entropy", "focal", "binary", "soft_f1", "sum")
    sums = ("focal + 0.5 soft_f1", "focal + 2 soft_f1", "binary + 0.5 soft_f1")
    return SearchSpace(
        name="loss",
        left_out=LEFT_OUT,
        params=(
            Param(name="loss", distribution=CategoricalDistribution(kinds)),
            Param(name="label_smoothing", distribution=FloatDistribution(0.0, 0.2)),
            Param(
                name="gamma",
                distribution=FloatDistribution(0.5, 5.0),
                when=(When(parameter="loss", values=("focal", "sum")),),
            ),
            Param(
                name="f1_share",
                distribution=FloatDistribution(0.1, 0.9),
                when=(When(parameter="loss", values=("soft_f1",)),),
            ),
            Param(
                name="terms",
                distribution=CategoricalDistribution(sums),
                when=(When(parameter="loss", values=("sum",)),),
            ),
        ),
        starts=(
            {"loss": "cross_entropy", "label_smoothing": 0.1},
            {"loss": "focal", "label_smoothing": 0.0, "gamma": 2.0},
        ),
    )
