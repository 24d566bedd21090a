"""RandAugment: how many operations per image, and how strong."""

from __future__ import annotations

from collections.abc import Mapping

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from spaces.augmentation.rand_augment import MOST
from spaces.errors import InputError
from spaces.param import Param
from spaces.space import SearchSpace

LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "which operations are drawn from": (),
    "mixing (mixing)": ("mix*",),
}


def rand_augment(most: int = 3) -> SearchSpace:
    """Up to ``most`` operations of one magnitude; the published grid has no probability.

    Raises:
        InputError: For more operations than a policy can have.
    """
    if not 1 <= most <= MOST:
        raise InputError(f"most={most}: from 1 to {MOST}")
    return SearchSpace(
        name="rand_augment",
        left_out=LEFT_OUT,
        params=(
            Param(name="policy", distribution=CategoricalDistribution(("rand_augment",))),
            Param(name="rand_augment.count", distribution=IntDistribution(1, most)),
            Param(name="rand_augment.magnitude", distribution=FloatDistribution(0.05, 1.0)),
            Param(name="rand_augment.probability", distribution=FloatDistribution(0.2, 1.0)),
        ),
        starts=(
            {
                "rand_augment.count": 2,
                "rand_augment.magnitude": 0.5,
                "rand_augment.probability": 1.0,
            },
        ),
    )
