"""TrivialAugment, the policy without parameters that a searched one has to beat."""

from __future__ import annotations

import math

from spaces.augmentation.policy import AugPolicy, Choice, Stage


def trivial_augment() -> AugPolicy:
    """TrivialAugment (wide): one of 14 operations per image at a uniform strength.

    Source: Müller and Hutter, TrivialAugment, ICCV 2021. Two differences: the strength is
    continuous instead of 31 bins, and the translation of 32 pixels is written as the share of a
    224-pixel side, so that it keeps its meaning on small images. Identity is the fourteenth
    operation, hence the probability.
    """
    shear = math.degrees(math.atan(0.99))
    choices = (
        Choice(operation="shear_x", limit=shear),
        Choice(operation="shear_y", limit=shear),
        Choice(operation="translate_x", limit=32 / 224),
        Choice(operation="translate_y", limit=32 / 224),
        Choice(operation="rotate", limit=135),
        Choice(operation="brightness", limit=0.99),
        Choice(operation="saturation", limit=0.99),
        Choice(operation="contrast", limit=0.99),
        Choice(operation="sharpness", limit=0.99),
        Choice(operation="posterize", limit=6),
        Choice(operation="solarize", limit=1.0),
        Choice(operation="autocontrast"),
        Choice(operation="equalize"),
    )
    return AugPolicy(stages=(Stage(choices=choices, probability=13 / 14),))
