"""Whether weights are averaged, and over what."""

from __future__ import annotations

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from spaces.errors import InputError
from spaces.param import Param, When
from spaces.space import SearchSpace

LEFT_OUT = "a choice of the best epoch (the last one counts), and averages of what epochs predict"


def averaging(longest: int = 3) -> SearchSpace:
    """No average, an exponential one over steps (EMA), or the mean of the last epochs (SWA).

    Raises:
        InputError: Where ``longest``, the most epochs of such a mean, is below 1.
    """
    if longest < 1:
        raise InputError(f"longest={longest}: 1 or more")
    return SearchSpace(
        name="averaging",
        left_out=LEFT_OUT,
        params=(
            Param(name="averaging", distribution=CategoricalDistribution(("none", "ema", "swa"))),
            Param(
                name="ema_decay",
                distribution=FloatDistribution(0.9, 0.999),
                when=(When(parameter="averaging", values=("ema",)),),
            ),
            Param(
                name="swa_epochs",
                distribution=IntDistribution(1, longest),
                when=(When(parameter="averaging", values=("swa",)),),
            ),
        ),
    )
