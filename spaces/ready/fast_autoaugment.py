"""Fast AutoAugment's thirty dimensions, for those with the GPUs."""

from __future__ import annotations

from collections.abc import Mapping

from optuna.distributions import CategoricalDistribution, FloatDistribution

from spaces.augmentation.fast_autoaugment import OPERATIONS_EACH, SUB_POLICIES
from spaces.augmentation.operations import COMMON, OPERATIONS
from spaces.errors import InputError
from spaces.param import Param, When
from spaces.space import SearchSpace

LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "crops, which are for all images or none": (),
    "mixing (mixing)": ("mix*",),
}


def fast_autoaugment(sub_policies: int = SUB_POLICIES) -> SearchSpace:
    """Sub-policies of two operations, each with a probability and a strength.

    More dimensions than a contest's number of trials settles; fewer sub-policies are fewer.

    Raises:
        InputError: For more sub-policies than a policy can have.
    """
    if not 1 <= sub_policies <= SUB_POLICIES:
        raise InputError(f"sub_policies={sub_policies}: from 1 to {SUB_POLICIES}")
    names = tuple(name for name in COMMON if name != "crop")  # a crop is for all images or none
    strong = tuple(name for name in names if OPERATIONS[name].has_limit)
    params = [Param(name="policy", distribution=CategoricalDistribution(("fast_autoaugment",)))]
    for s in range(1, sub_policies + 1):
        for o in range(1, OPERATIONS_EACH + 1):
            place = f"fast_autoaugment.sub{s}"
            drawn = When(parameter=f"{place}.operation{o}", values=strong)
            params += [
                Param(name=f"{place}.operation{o}", distribution=CategoricalDistribution(names)),
                Param(name=f"{place}.probability{o}", distribution=FloatDistribution(0.0, 1.0)),
                Param(
                    name=f"{place}.strength{o}",
                    distribution=FloatDistribution(0.05, 1.0),
                    when=(drawn,),
                ),
            ]
    return SearchSpace(name="fast_autoaugment", left_out=LEFT_OUT, params=tuple(params))
