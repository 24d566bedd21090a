"""Probabilities that mean what they say: one temperature per model."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from results.metrics import Floats, Ints

SHARPEST, FLATTEST = -4.0, 5.0
"""Logarithms of the temperatures that are considered."""

_TINY = 1e-12
_CLOSE = 1e-8
"""To which the logarithm of a temperature is found."""


def tempered(probabilities: NDArray[np.floating], temperature: float) -> Floats:
    """Probabilities (n, classes) with their logarithms divided by a temperature."""
    shares = np.exp(_behind(probabilities) / temperature)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def fitted_temperature(labels: Ints, probabilities: NDArray[np.floating]) -> float:
    """The temperature under which labels are likeliest (Guo et al., On calibration, ICML 2017).

    Args:
        labels: int (n,).
        probabilities: (n, classes).
    """
    behind = _behind(probabilities)
    of_labels = behind[np.arange(len(labels)), labels]

    def surprise(log_temperature: float) -> float:
        temperature = np.exp(log_temperature)
        total = np.log(np.exp(behind / temperature).sum(axis=1))
        return float((total - of_labels / temperature).mean())

    found = scipy.optimize.minimize_scalar(surprise, bounds=(SHARPEST, FLATTEST), method="bounded")
    return float(np.exp(found.x))


def temperature_for(probabilities: NDArray[np.floating], confidence: float) -> float:
    """The temperature that makes the mean of the largest probabilities a wanted one.

    Args:
        probabilities: (n, classes).
        confidence: From 1 / classes to 1; what cannot be reached gives the nearest.
    """
    behind = _behind(probabilities)

    def above(log_temperature: float) -> float:
        largest = 1 / np.exp(behind / np.exp(log_temperature)).sum(axis=1)
        return float(largest.mean() - confidence)

    if above(SHARPEST) <= 0:
        return float(np.exp(SHARPEST))
    if above(FLATTEST) >= 0:
        return float(np.exp(FLATTEST))
    return float(np.exp(scipy.optimize.brentq(above, SHARPEST, FLATTEST, xtol=_CLOSE)))


def _behind(probabilities: NDArray[np.floating]) -> Floats:
    """Logarithms of probabilities (n, classes), less that of the likeliest class of each image."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), _TINY))
    return np.asarray(logits - logits.max(axis=1, keepdims=True))
