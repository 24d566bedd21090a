"""Whether weights or predictions are averaged, and over what."""

from __future__ import annotations

from collections.abc import Mapping

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from spaces.errors import InputError
from spaces.param import Param, When
from spaces.space import SearchSpace

LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "a choice of the best epoch (the last one counts)": (),
}


def averaging(longest: int = 3) -> SearchSpace:
    """No average, one of weights over steps (EMA) or over the last epochs (SWA), or one of what the
    networks of the last epochs predict.

    Raises:
        InputError: Where ``longest``, the most epochs of a mean, is below 2.
    """
    if longest < 2:
        raise InputError(f"longest={longest}: 2 or more")
    return SearchSpace(
        name="averaging",
        left_out=LEFT_OUT,
        params=(
            Param(
                name="averaging",
                distribution=CategoricalDistribution(("none", "ema", "swa", "ensemble")),
            ),
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
            Param(
                name="ensemble_epochs",
                distribution=IntDistribution(2, longest),
                when=(When(parameter="averaging", values=("ensemble",)),),
            ),
        ),
    )
