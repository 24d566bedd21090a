"""Weights of classes in the loss, by name; a new one is a function and a line here."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from spaces.sections.weighting import EffectiveNumber, Inverse
from spaces.trial_config import TrialConfig
from trainables.parts import Parts

Floats = NDArray[np.float64]

Weigh = Callable[[TrialConfig, Floats], Floats]
"""From configuration and sizes of classes, all above 0, to weights of an image of each, up to a
factor."""


def class_weights(config: TrialConfig, strata: NDArray[np.int64], counted: Floats) -> Floats:
    """How much each image of a training counts for its class's sake; on average as much as before.

    Args:
        config: The training.
        strata: int (n,), classes of the images that are trained on, and of no others.
        counted: float (n,), how much each counts already: a class is as large as these add up to.

    Returns:
        float64 (n,), factors.
    """
    names, stratum = np.unique(strata, return_inverse=True)
    sizes: Floats = np.bincount(stratum, counted, len(names)).astype(np.float64)
    sizes[sizes == 0] = 1  # nothing of such a class counts, whatever its factor
    weights = WEIGHTINGS.of(config.weighting)(config, sizes)[stratum]
    return np.asarray(weights * counted.sum() / (weights * counted).sum())


def _none(config: TrialConfig, sizes: Floats) -> Floats:
    return np.ones(len(sizes))


def _balanced(config: TrialConfig, sizes: Floats) -> Floats:
    settings = config.weighting
    assert isinstance(settings, Inverse)
    return np.asarray(sizes**-settings.weight_power)


def _effective(config: TrialConfig, sizes: Floats) -> Floats:
    settings = config.weighting
    assert isinstance(settings, EffectiveNumber)
    beta = settings.effective_beta
    return np.asarray((1 - beta) / (1 - beta**sizes))


WEIGHTINGS: Parts[Weigh] = Parts(
    "weighting", {"none": _none, "balanced": _balanced, "effective": _effective}
)
