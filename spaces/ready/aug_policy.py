"""Augmentation: which operations, how many stages, how often and how strongly, and mixing."""

from __future__ import annotations

from collections.abc import Mapping

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from spaces.augmentation.operations import COMMON, OPERATIONS
from spaces.errors import InputError
from spaces.param import Param, When
from spaces.space import SearchSpace
from spaces.value import Value

MOST = 9
"""Stages of a policy."""

STARTS: tuple[dict[str, Value], ...] = (
    {
        "stages": 1,
        "stage1.operation": "crop",
        "stage1.probability": 1.0,
        "stage1.strength": 0.5,
        "mix": "none",
    },
    {
        "stages": 2,
        "stage1.operation": "rotate",
        "stage1.probability": 0.5,
        "stage1.strength": 0.5,
        "stage2.operation": "brightness",
        "stage2.probability": 0.5,
        "stage2.strength": 0.5,
        "mix": "none",
    },
    {
        "stages": 1,
        "stage1.operation": "contrast",
        "stage1.probability": 0.5,
        "stage1.strength": 0.5,
        "mix": "cutmix",
        "mix_alpha": 1.0,
    },
)
"""A crop; turned and brighter or darker; contrast with CutMix. No flip: letters do not bear it."""


LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "operations that few contests need (docs/spaces.md has them all)": (),
    "other policies (policies, rand_augment, …)": ("policy",),
    "how often and until when batches are mixed (mixing)": ("mix_probability", "unmixed_epochs"),
    "preprocessing (preprocess)": ("preprocess",),
}


def aug_policy(stages: int = 2) -> SearchSpace:
    """Policies of up to ``stages`` stages, then no mixing, mixup or CutMix.

    A stage is one operation with a probability and a strength, as in Fast AutoAugment (Lim et
    al., NeurIPS 2019), but a single policy for all images, which keeps the dimensions few enough
    for a contest's number of trials.
    """
    if not 1 <= stages <= MOST:
        raise InputError(f"stages={stages}: from 1 to {MOST}")
    strong = tuple(name for name in COMMON if OPERATIONS[name].has_limit)
    params = [Param(name="stages", distribution=IntDistribution(1, stages))]
    for i in range(1, stages + 1):
        live = () if i == 1 else (When(parameter="stages", values=tuple(range(i, stages + 1))),)
        drawn = When(parameter=f"stage{i}.operation", values=strong)
        params += [
            Param(
                name=f"stage{i}.operation",
                distribution=CategoricalDistribution(COMMON),
                when=live,
            ),
            Param(
                name=f"stage{i}.probability", distribution=FloatDistribution(0.2, 1.0), when=live
            ),
            Param(
                name=f"stage{i}.strength",
                distribution=FloatDistribution(0.1, 1.0),
                when=(*live, drawn),
            ),
        ]
    params += [
        Param(name="mix", distribution=CategoricalDistribution(("none", "mixup", "cutmix"))),
        Param(
            name="mix_alpha",
            distribution=FloatDistribution(0.1, 1.0),
            when=(When(parameter="mix", values=("mixup", "cutmix")),),
        ),
    ]
    return SearchSpace(name="aug_policy", left_out=LEFT_OUT, params=tuple(params), starts=STARTS)
