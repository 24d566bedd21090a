"""The schedule: learning rate, weight decay, and the warm-up before the cosine."""

from __future__ import annotations

from optuna.distributions import FloatDistribution, IntDistribution

from spaces.param import Param, When
from spaces.space import SearchSpace

LEARNING_RATE = FloatDistribution(1e-4, 1e-2, log=True)


def schedule(longest_warmup: int = 3) -> SearchSpace:
    """Cosine schedules with up to ``longest_warmup`` epochs of linear warm-up."""
    warm = tuple(range(1, longest_warmup + 1))
    return SearchSpace(
        name="schedule",
        params=(
            Param(name="lr", distribution=LEARNING_RATE),
            Param(name="weight_decay", distribution=FloatDistribution(1e-4, 0.3, log=True)),
            Param(name="warmup_epochs", distribution=IntDistribution(0, longest_warmup)),
            Param(
                name="warmup_start",
                distribution=FloatDistribution(1e-3, 0.3, log=True),
                when=(When(parameter="warmup_epochs", values=warm),),
            ),
        ),
    )
