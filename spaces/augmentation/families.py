"""Families of policies by name: what ``policy=`` takes, and the parameters that spell one out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

from spaces.augmentation.fast_autoaugment import fast_autoaugment
from spaces.augmentation.magnitude import magnitude
from spaces.augmentation.pba import pba
from spaces.augmentation.pipeline import Pipeline
from spaces.augmentation.policy import AugPolicy, Stage
from spaces.augmentation.rand_augment import rand_augment
from spaces.augmentation.stages import staged
from spaces.augmentation.subset import subset
from spaces.augmentation.trivial_augment import trivial_augment
from spaces.errors import InputError, unknown

Family = Callable[[Mapping[str, Any]], AugPolicy]
"""From the family's parameters, by name, to a policy."""


def _without_parameters(make: Callable[[], AugPolicy]) -> Family:
    def family(params: Mapping[str, Any]) -> AugPolicy:
        for name, value in params.items():
            raise InputError(f"{name}={value}: this policy has no parameters")
        return make()

    return family


FAMILIES: dict[str, Family] = {
    "none": _without_parameters(AugPolicy),
    "trivial_augment": _without_parameters(trivial_augment),
    "stages": staged,
    "rand_augment": rand_augment,
    "fast_autoaugment": fast_autoaugment,
    "subset": subset,
    "magnitude": magnitude,
    "pba": pba,
}
"""A new one is a function and a line here. Its parameters are called ``<family>.<name>``; those of
``stages``, which is meant where they stand alone, ``stages`` and ``stage1.operation``, ….
"""

PIPELINES: dict[str, Pipeline] = {}
"""A team's own, by the names that ``policy=`` takes; ``pipelines=`` puts them here."""

STAGES = re.compile(r"^(stages|stage[1-9]\.(operation|probability|strength))$")


FILES = (".json", ".yaml", ".yml")
"""Suffixes of files with a pipeline."""


def pipeline_name(reference: str) -> str:
    """What a pipeline is called: its function in ``module:function``, or its file."""
    return PurePath(reference.rpartition(":")[2]).stem


def is_policy_parameter(name: str) -> bool:
    """Whether a parameter says something of the augmentation per image."""
    family, dot, _ = name.partition(".")
    own = bool(dot) and family in FAMILIES and family != "stages"
    return name == "policy" or own or bool(STAGES.match(name))


def policy_of(params: Mapping[str, Any]) -> AugPolicy:
    """Builds a policy from its parameters; those of other families have no effect.

    Raises:
        InputError: If there is no such family or a value does not fit.
    """
    stages = {key: value for key, value in params.items() if STAGES.match(key)}
    if stages and params.get("policy", "stages") != "stages":
        raise InputError(
            f"policy={params['policy']} and {min(stages)}={stages[min(stages)]} are two policies: "
            "leave one out"
        )
    if stages:
        return staged(stages)
    if "policy" not in params:
        key, value = next(iter(params.items()))
        raise InputError(f"{key}={value} needs policy={key.partition('.')[0]}")
    name = str(params["policy"])
    if name in PIPELINES:
        return AugPolicy(stages=(Stage(choices=(PIPELINES[name],)),))
    if ":" in name or name.endswith(FILES):
        raise InputError(f"policy={name}: say pipelines=[{name}], and policy={pipeline_name(name)}")
    if name not in FAMILIES:
        raise unknown("policy", name, [*FAMILIES, *PIPELINES], f"policy={name}")
    own = {k.partition(".")[2]: v for k, v in params.items() if k.startswith(f"{name}.")}
    policy = FAMILIES[name](own)
    if not isinstance(policy, AugPolicy):
        raise InputError(f"policy={name} made {type(policy).__name__}, not an AugPolicy")
    return policy


def describe_policy(policy: AugPolicy) -> str:
    """A policy in words: a name, or one line per stage."""
    if policy == trivial_augment():
        return "TrivialAugment (wide)"
    lines = [f"{i}. {stage.describe()}" for i, stage in enumerate(policy.stages, start=1)]
    return "\n".join(lines) or "no augmentation"
