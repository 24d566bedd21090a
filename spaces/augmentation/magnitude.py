"""One knob per group of operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spaces.augmentation.operations import operation
from spaces.augmentation.policy import AugPolicy, Choice, Stage
from spaces.augmentation.settings import check_settings, number

GROUPS = {
    "geometry": ("rotate", "shear_x", "shear_y", "translate_x", "translate_y", "scale"),
    "perspective": ("perspective", "grid_distortion"),
    "colour": ("brightness", "contrast", "saturation", "hue"),
    "quality": ("sharpness", "blur", "noise", "compression"),
    "erasing": ("cutout", "grid_mask"),
}
"""Operations that get weaker and stronger together."""


def magnitude(params: Mapping[str, Any]) -> AugPolicy:
    """One operation of every group whose knob is above 0, in half of the images each.

    ``magnitude.geometry=0.3`` is the strength of the group in [0, 1] of its operations' searched
    ranges; groups that are not named stay off, ``flip`` (0) mirrors in so many of the images.

    Raises:
        InputError: If a parameter is unknown or does not fit.
    """
    check_settings("magnitude", params, (*GROUPS, "flip"))
    stages = []
    flip = number(params, "flip", 0.0)
    if flip:
        stages.append(Stage(choices=(Choice(operation="horizontal_flip"),), probability=flip))
    for group, names in GROUPS.items():
        strength = number(params, group, 0.0)
        if strength:
            choices = tuple(Choice(operation=n, limit=operation(n).at(strength)) for n in names)
            stages.append(Stage(choices=choices, probability=0.5))
    return AugPolicy(stages=tuple(stages))
