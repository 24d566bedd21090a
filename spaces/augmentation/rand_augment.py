"""RandAugment: so many operations per image, all of one magnitude."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from spaces.augmentation.policy import AugPolicy, Choice, Stage
from spaces.augmentation.settings import check_settings, count, number
from spaces.errors import InputError

MOST = 4
"""Operations per image at most."""

_FULL = {
    "rotate": 30.0,
    "shear_x": math.degrees(math.atan(0.3)),
    "shear_y": math.degrees(math.atan(0.3)),
    "translate_x": 0.45,
    "translate_y": 0.45,
    "saturation": 0.9,
    "contrast": 0.9,
    "brightness": 0.9,
    "sharpness": 0.9,
    "posterize": 4.0,
    "solarize": 1.0,
}
"""Limits at magnitude 1."""


def rand_augment(params: Mapping[str, Any]) -> AugPolicy:
    """RandAugment (Cubuk et al., 2020), from ``count``, ``magnitude`` and ``probability``.

    ``count`` operations (2) are drawn for every image, with replacement, from fourteen, identity
    among them; each is applied with ``probability`` (1). One difference: an image's strength is
    drawn up to the magnitude (0.5, of 1), as in all policies here, instead of being it.

    Raises:
        InputError: If a parameter is unknown or does not fit.
    """
    check_settings("rand_augment", params, ("count", "magnitude", "probability"))
    magnitude = number(params, "magnitude", 0.5)
    if not 0 <= magnitude <= 1:
        raise InputError(f"rand_augment.magnitude={magnitude:g} must be within 0 to 1")
    choices = [Choice(operation=name, limit=magnitude * full) for name, full in _FULL.items()]
    choices += [Choice(operation="autocontrast"), Choice(operation="equalize")]
    chance = number(params, "probability", 1.0) * len(choices) / (len(choices) + 1)
    stage = Stage(choices=tuple(choices), probability=chance)
    return AugPolicy(stages=(stage,) * count(params, "count", 2, MOST))
