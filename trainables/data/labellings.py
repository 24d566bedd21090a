"""What is trained on of corrected images, by name; a new one is a function and a line here."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from spaces.errors import InputError
from spaces.sections.labels import DROP, GIVEN, RELABEL, Downweighted
from spaces.trial_config import TrialConfig
from trainables.data.corrections import Corrections
from trainables.parts import Parts

Labelled = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Labels (n,), and how much each image counts (n,); one that counts 0 is left out."""

Labelling = Callable[[TrialConfig, Corrections], Labelled]
"""From configuration and corrections to what is trained on."""


def labelled(
    config: TrialConfig, labels: NDArray[np.int64], corrections: Corrections | None
) -> Labelled:
    """Labels to train on, and how much each image counts.

    Args:
        config: The training.
        labels: int64 (n,), as they are given.
        corrections: Those of the data, if it has any.

    Raises:
        InputError: If the training asks for corrections that the data does not have.
    """
    make = LABELLINGS.of(config.labels)
    if config.labels.kind == GIVEN:
        return labels, np.ones(len(labels), np.float32)
    if corrections is None or corrections.digest != config.labels.corrections:
        raise InputError(f"labels={config.labels.kind}: its corrections are not those of the data")
    return make(config, corrections)


def _given(config: TrialConfig, corrections: Corrections) -> Labelled:
    return corrections.given, np.ones(len(corrections.given), np.float32)


def _relabel(config: TrialConfig, corrections: Corrections) -> Labelled:
    return corrections.labels, np.where(corrections.left_out, 0, 1).astype(np.float32)


def _drop(config: TrialConfig, corrections: Corrections) -> Labelled:
    return corrections.given, np.where(corrections.touched, 0, 1).astype(np.float32)


def _downweight(config: TrialConfig, corrections: Corrections) -> Labelled:
    settings = config.labels
    assert isinstance(settings, Downweighted)
    counts = np.where(corrections.touched, settings.label_weight, 1)
    return corrections.given, counts.astype(np.float32)


LABELLINGS: Parts[Labelling] = Parts(
    "labels",
    {GIVEN: _given, RELABEL: _relabel, DROP: _drop, "downweight": _downweight},
)
