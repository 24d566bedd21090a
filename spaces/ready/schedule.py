"""The schedule: learning rate, weight decay, and the warm-up before the cosine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from spaces.errors import unknown
from spaces.param import Param, When
from spaces.sections.schedule import SCHEDULES
from spaces.space import SearchSpace

LEARNING_RATE = FloatDistribution(1e-4, 1e-2, log=True)


SETTINGS: dict[str, dict[str, BaseDistribution]] = {
    "step": {
        "step_epochs": IntDistribution(2, 10),
        "step_factor": FloatDistribution(0.1, 0.7),
    },
    "restarts": {
        "cycles": IntDistribution(2, 4),
        "cycle_factor": FloatDistribution(0.3, 1.0),
    },
    "exponential": {"final_share": FloatDistribution(1e-3, 0.1, log=True)},
    "polynomial": {"decay_power": FloatDistribution(0.5, 2.0)},
    "one_cycle": {"rise": FloatDistribution(0.1, 0.5)},
    "plateau": {
        "plateau_epochs": IntDistribution(1, 4),
        "plateau_factor": FloatDistribution(0.1, 0.7),
    },
}
"""What is searched of schedules that have something to search."""


LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "ways to fall other than the cosine (kinds=)": ("schedule",),
    "the optimizer (optimizer)": ("optimizer", "batch"),
}


def schedule(longest_warmup: int = 3, kinds: Sequence[str] = ("cosine",)) -> SearchSpace:
    """The learning rate, weight decay, linear warm-up, and how the rate falls.

    Args:
        longest_warmup: Epochs of warm-up at most.
        kinds: How it falls: ``cosine``, ``step``, ….

    Raises:
        InputError: For a schedule that is not known.
    """
    for kind in kinds:
        if kind not in SCHEDULES:
            raise unknown("schedule", kind, SCHEDULES, f"kinds={list(kinds)}")
    params = [
        Param(name="lr", distribution=LEARNING_RATE),
        Param(name="weight_decay", distribution=FloatDistribution(1e-4, 0.3, log=True)),
    ]
    chosen = tuple(kinds) != ("cosine",)
    if chosen:
        params.append(Param(name="schedule", distribution=CategoricalDistribution(kinds)))
    warm = tuple(range(1, longest_warmup + 1))
    others = tuple(kind for kind in kinds if kind != "one_cycle")  # which rises by itself
    if others:
        warmed = (When(parameter="schedule", values=others),) if others != tuple(kinds) else ()
        params += [
            Param(
                name="warmup_epochs", distribution=IntDistribution(0, longest_warmup), when=warmed
            ),
            Param(
                name="warmup_start",
                distribution=FloatDistribution(1e-3, 0.3, log=True),
                when=(When(parameter="warmup_epochs", values=warm),),
            ),
        ]
    for kind in kinds if chosen else ():
        when = (When(parameter="schedule", values=(kind,)),)
        for name, distribution in SETTINGS.get(kind, {}).items():
            params.append(Param(name=name, distribution=distribution, when=when))
    starts = ({"lr": 1e-3, "weight_decay": 0.05}, {"lr": 3e-3, "weight_decay": 0.02})
    return SearchSpace(name="schedule", left_out=LEFT_OUT, params=tuple(params), starts=starts)
