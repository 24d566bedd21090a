"""Which operations of a hand-made list to switch on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optuna.distributions import CategoricalDistribution

from spaces.augmentation.subset import COMMON
from spaces.param import Param
from spaces.space import SearchSpace

LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "strengths and probabilities: each operation has half of its range, in half of the images": (),
}


def subset(operations: Sequence[str] = COMMON) -> SearchSpace:
    """A switch for each operation, each with its half strength in half of the images."""
    switches = tuple(
        Param(name=f"subset.{name}", distribution=CategoricalDistribution((True, False)))
        for name in operations
    )
    policy = Param(name="policy", distribution=CategoricalDistribution(("subset",)))
    return SearchSpace(name="subset", left_out=LEFT_OUT, params=(policy, *switches))
