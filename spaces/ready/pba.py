"""Strengths over the epochs: how strong each group of operations is at first, and at last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optuna.distributions import CategoricalDistribution, FloatDistribution

from spaces.augmentation.magnitude import GROUPS
from spaces.augmentation.pba import MOST
from spaces.errors import InputError, unknown
from spaces.param import Param
from spaces.space import SearchSpace

FEW = ("geometry", "colour", "erasing")


LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "other groups of operations (groups=)": (),
    "a strength of each operation by itself (aug_policy)": ("stage*",),
    "mixing (mixing)": ("mix*",),
}


def pba(points: int = 2, groups: Sequence[str] = FEW, held: bool = False) -> SearchSpace:
    """A strength per group and point of the training, and mirroring or not.

    Args:
        points: At which strengths are drawn, evenly from the beginning to the end.
        groups: Of operations.
        held: Whether each holds for an equal share of the epochs, without lines between them.
    """
    if not 2 <= points <= MOST:
        raise InputError(f"points={points}: from 2 to {MOST}; space=magnitude has one")
    for group in groups:
        if group not in GROUPS:
            raise unknown("group", group, GROUPS, f"groups={list(groups)}")
    strengths = tuple(
        Param(name=f"pba.{group}{point}", distribution=FloatDistribution(0.0, 1.0))
        for group in groups
        for point in range(1, points + 1)
    )
    return SearchSpace(
        name="pba",
        left_out=LEFT_OUT,
        params=(
            Param(name="policy", distribution=CategoricalDistribution(("pba",))),
            *((Param(name="pba.held", distribution=CategoricalDistribution((True,))),) * held),
            Param(name="pba.flip", distribution=CategoricalDistribution((0.0, 0.5))),
            *strengths,
        ),
    )
