"""The optimizer: which, with what parameters, at what effective batch size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optuna.distributions import CategoricalDistribution, FloatDistribution

from spaces.errors import unknown
from spaces.param import Param, When
from spaces.ready.schedule import LEARNING_RATE
from spaces.sections.optimizer import ADAPTIVE, OPTIMIZERS
from spaces.space import SearchSpace

NAMES = ("adamw", "lamb", "nadamw", "sgd")
"""Those that are searched unless others are named."""


LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "weight decay and warm-up (schedule)": ("weight_decay", "warmup_epochs"),
    "other optimizers (names=)": (),
    "lookahead and SAM (fix.lookahead=, fix.sam_radius=)": ("lookahead", "sam_radius"),
}


def optimizer(names: Sequence[str] = NAMES) -> SearchSpace:
    """Optimizers, each on its own scale of learning rates.

    Args:
        names: Which ones; any of Adam's relatives, ``lion`` and ``sgd``.

    Raises:
        InputError: For an optimizer whose scale is not known.
    """
    for name in names:
        if name not in OPTIMIZERS:
            raise unknown("optimizer", name, OPTIMIZERS, f"names={list(names)}")
    params = [Param(name="optimizer", distribution=CategoricalDistribution(names))]
    adaptive = tuple(name for name in names if name in ADAPTIVE)
    if adaptive:
        when = (When(parameter="optimizer", values=adaptive),)
        betas = CategoricalDistribution((0.95, 0.99, 0.999))
        params.append(Param(name="lr", distribution=LEARNING_RATE, when=when))
        params.append(Param(name="beta2", distribution=betas, when=when))
    if "lion" in names:
        rates = FloatDistribution(1e-5, 3e-3, log=True)
        when = (When(parameter="optimizer", values=("lion",)),)
        params.append(Param(name="lion.lr", distribution=rates, when=when))
    if "sgd" in names:
        rates = FloatDistribution(3e-3, 1.0, log=True)
        when = (When(parameter="optimizer", values=("sgd",)),)
        params.append(Param(name="sgd.lr", distribution=rates, when=when))
        params.append(Param(name="momentum", distribution=FloatDistribution(0.8, 0.98), when=when))
    params += [
        Param(name="label_smoothing", distribution=FloatDistribution(0.0, 0.2)),
        Param(name="batch", distribution=CategoricalDistribution((32, 64, 128))),
    ]
    return SearchSpace(
        name="optimizer",
        left_out=LEFT_OUT,
        params=tuple(params),
        starts=(
            {"optimizer": "adamw", "lr": 1e-3, "beta2": 0.999, "label_smoothing": 0.1},
            {"optimizer": "sgd", "sgd.lr": 0.05, "momentum": 0.9, "label_smoothing": 0.1},
        ),
    )
