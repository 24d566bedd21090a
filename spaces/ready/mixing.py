"""Mixing the images of a batch: how, how much, how often, and until when."""

from __future__ import annotations

from collections.abc import Mapping

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from spaces.errors import InputError, unknown
from spaces.param import Param, When
from spaces.sections.mixing import MIXINGS, Pairs
from spaces.space import SearchSpace

KINDS = ("none", "mixup", "cutmix", "mixup_or_cutmix")
"""What every network and contest can do; others are named."""


LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "snapmix, for networks with attention maps (kinds=)": ("mix.snapmix",),
    "cutmix_box, for contests with boxes (kinds=)": ("mix.cutmix_box",),
}


def mixing(kinds: tuple[str, ...] = KINDS, unmixed: int = 3) -> SearchSpace:
    """Four dimensions: the kind, its Beta parameter, the share of batches, the epochs without.

    Args:
        kinds: Of mixing, ``none`` among them or not.
        unmixed: Most last epochs in which nothing is mixed.

    Raises:
        InputError: For a kind that mixes no pairs, or a negative number of epochs.
    """
    pairs = tuple(name for name in MIXINGS if issubclass(MIXINGS.settings(name), Pairs))
    for name in kinds:
        if name not in ("none", *pairs):
            raise unknown("kind", name, ("none", *pairs), f"kinds={list(kinds)}")
    if unmixed < 0:
        raise InputError(f"unmixed={unmixed}: 0 or more")
    mixing_ones = tuple(name for name in kinds if name in pairs)
    if not mixing_ones:
        raise InputError(f"kinds={list(kinds)}: none of them mixes; choices: {', '.join(pairs)}")
    mixed = (When(parameter="mix", values=mixing_ones),)
    return SearchSpace(
        name="mixing",
        left_out=LEFT_OUT,
        params=(
            Param(name="mix", distribution=CategoricalDistribution(tuple(kinds))),
            Param(name="mix_alpha", distribution=FloatDistribution(0.1, 5.0, log=True), when=mixed),
            Param(name="mix_probability", distribution=FloatDistribution(0.3, 1.0), when=mixed),
            Param(name="unmixed_epochs", distribution=IntDistribution(0, unmixed), when=mixed),
        ),
        starts=(
            {"mix": "mixup", "mix_alpha": 0.2, "mix_probability": 1.0},
            {"mix": "cutmix", "mix_alpha": 1.0, "mix_probability": 0.5},
        ),
    )
