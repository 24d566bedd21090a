"""The optimizer: which, with what parameters, at what effective batch size."""

from __future__ import annotations

from optuna.distributions import CategoricalDistribution, FloatDistribution

from spaces.param import Param, When
from spaces.ready.schedule import LEARNING_RATE
from spaces.sections.optimizer import ADAPTIVE
from spaces.space import SearchSpace


def optimizer() -> SearchSpace:
    """Adam-like optimizers and SGD, each on its own scale of learning rates."""
    adaptive = (When(parameter="optimizer", values=ADAPTIVE),)
    sgd = (When(parameter="optimizer", values=("sgd",)),)
    return SearchSpace(
        name="optimizer",
        params=(
            Param(name="optimizer", distribution=CategoricalDistribution((*ADAPTIVE, "sgd"))),
            Param(name="lr", distribution=LEARNING_RATE, when=adaptive),
            Param(
                name="beta2",
                distribution=CategoricalDistribution((0.95, 0.99, 0.999)),
                when=adaptive,
            ),
            Param(name="sgd.lr", distribution=FloatDistribution(3e-3, 1.0, log=True), when=sgd),
            Param(name="momentum", distribution=FloatDistribution(0.8, 0.98), when=sgd),
            Param(name="label_smoothing", distribution=FloatDistribution(0.0, 0.2)),
            Param(name="batch", distribution=CategoricalDistribution((32, 64, 128))),
        ),
    )
