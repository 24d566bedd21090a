"""Probabilities that mean what they say: one temperature per model."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from results.metrics import Floats, Ints

SHARPEST, FLATTEST = -4.0, 5.0
"""Logarithms of the temperatures that are considered."""

_TINY = 1e-12


def tempered(probabilities: NDArray[np.floating], temperature: float) -> Floats:
    """Probabilities (n, classes) with their logarithms divided by a temperature."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), _TINY)) / temperature
    return np.asarray(np.exp(logits - scipy.special.logsumexp(logits, axis=1, keepdims=True)))


def fitted_temperature(labels: Ints, probabilities: NDArray[np.floating]) -> float:
    """The temperature under which labels are likeliest (Guo et al., On calibration, ICML 2017).

    Args:
        labels: int (n,).
        probabilities: (n, classes).
    """
    logits = np.log(np.maximum(probabilities.astype(np.float64), _TINY))
    rows = np.arange(len(labels))

    def surprise(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        return float((scipy.special.logsumexp(scaled, axis=1) - scaled[rows, labels]).mean())

    found = scipy.optimize.minimize_scalar(surprise, bounds=(SHARPEST, FLATTEST), method="bounded")
    return float(np.exp(found.x))


def temperature_for(probabilities: NDArray[np.floating], confidence: float) -> float:
    """The temperature that makes the mean of the largest probabilities a wanted one, by bisection.

    Args:
        probabilities: (n, classes).
        confidence: From 1 / classes to 1; what cannot be reached gives the nearest.
    """
    low, high = SHARPEST, FLATTEST
    for _ in range(30):
        middle = (low + high) / 2
        sharp = tempered(probabilities, float(np.exp(middle))).max(axis=1).mean() > confidence
        low, high = (middle, high) if sharp else (low, middle)
    return float(np.exp((low + high) / 2))
