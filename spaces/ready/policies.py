"""Which policy: families, each with its own parameters, and a team's own pipelines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optuna.distributions import CategoricalDistribution

from spaces.augmentation.families import FAMILIES, PIPELINES
from spaces.errors import InputError, unknown
from spaces.param import Param, When
from spaces.ready.aug_policy import aug_policy
from spaces.ready.fast_autoaugment import fast_autoaugment
from spaces.ready.magnitude import magnitude
from spaces.ready.pba import pba
from spaces.ready.rand_augment import rand_augment
from spaces.ready.subset import subset
from spaces.space import SearchSpace

FEW = ("none", "trivial_augment", "rand_augment")
"""That are asked about beside pipelines: three parameters."""


LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "policies that are not named (names=)": (),
    "mixing (mixing)": ("mix*",),
}


def policies(names: Sequence[str] = (), stages: int = 2) -> SearchSpace:
    """One of several policies, with the parameters that it has.

    Args:
        names: Of families and pipelines; without any `FEW` and the pipelines that
            ``pipelines=`` names.
        stages: Most stages of a policy of ``stages``.
    """
    known = {**FAMILIES, **PIPELINES}
    for name in names:
        if name not in known:
            raise unknown("policy", name, known, f"names={list(names)}")
    kinds = tuple(dict.fromkeys(names)) or (*FEW, *PIPELINES)
    if len(kinds) < 2:
        raise InputError(f"names={list(names)}: at least two policies are needed")
    searched = {
        "stages": aug_policy(stages).pin({"mix": "none"}),
        **{s.name: s for s in (rand_augment(), fast_autoaugment(), subset(), magnitude(), pba())},
    }
    policy = Param(name="policy", distribution=CategoricalDistribution(kinds))
    found = SearchSpace(name="policies", params=(policy,))
    for name, family in searched.items():
        if name in kinds:
            own, when = family.pin({"policy": name}), When(parameter="policy", values=(name,))
            found = found.join(own, when)
    return SearchSpace(name="policies", left_out=LEFT_OUT, params=found.params)
