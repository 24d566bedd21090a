"""The loss, and how far its targets are smoothed."""

from __future__ import annotations

from optuna.distributions import CategoricalDistribution, FloatDistribution

from spaces.param import Param, When
from spaces.space import SearchSpace


def loss() -> SearchSpace:
    """Cross entropy, focal, binary or with soft F1, each with label smoothing."""
    kinds = ("cross_entropy", "focal", "binary", "soft_f1")
    return SearchSpace(
        name="loss",
        params=(
            Param(name="loss", distribution=CategoricalDistribution(kinds)),
            Param(name="label_smoothing", distribution=FloatDistribution(0.0, 0.2)),
            Param(
                name="gamma",
                distribution=FloatDistribution(0.5, 5.0),
                when=(When(parameter="loss", values=("focal",)),),
            ),
            Param(
                name="f1_share",
                distribution=FloatDistribution(0.1, 0.9),
                when=(When(parameter="loss", values=("soft_f1",)),),
            ),
        ),
        starts=(
            {"loss": "cross_entropy", "label_smoothing": 0.1},
            {"loss": "focal", "label_smoothing": 0.0, "gamma": 2.0},
        ),
    )
