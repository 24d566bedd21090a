"""A list of operations of which each is on or off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spaces.augmentation.operations import OPERATIONS
from spaces.augmentation.policy import AugPolicy, Choice, Stage
from spaces.augmentation.settings import check_settings, number, switch

COMMON = (
    "horizontal_flip",
    "rotate",
    "scale",
    "translate_x",
    "translate_y",
    "brightness",
    "contrast",
    "noise",
    "saturation",
    "hue",
    "solarize",
)
"""A list that contest teams start from by hand: flip, shift-scale-rotate, brightness and contrast,
noise, colour jitter, solarize."""


def subset(params: Mapping[str, Any]) -> AugPolicy:
    """Every operation that is switched on (``subset.rotate=true``), one after the other.

    Each is applied with ``probability`` (0.5) at ``strength`` (0.5, in [0, 1] of its searched
    range). Without any named, those of `COMMON` are on.

    Raises:
        InputError: If a parameter is unknown or does not fit.
    """
    check_settings("subset", params, (*OPERATIONS, "probability", "strength"))
    switches = [name for name in params if name in OPERATIONS]
    strength, chance = number(params, "strength", 0.5), number(params, "probability", 0.5)
    on = [
        name for name in OPERATIONS if switch(params, name, default=not switches and name in COMMON)
    ]
    stages = (
        Stage(
            choices=(Choice(operation=name, limit=OPERATIONS[name].at(strength)),),
            probability=chance,
        )
        for name in on
    )
    return AugPolicy(stages=tuple(sorted(stages, key=lambda s: not s.crops)))
