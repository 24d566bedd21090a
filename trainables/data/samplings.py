"""Which images an epoch shows, by name; a new one is a function and a line here."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from spaces.sections.sampling import Balanced
from spaces.trial_config import TrialConfig
from trainables.parts import Parts

Ints = NDArray[np.int64]

Draw = Callable[[np.random.Generator], Ints]
"""The store rows of an epoch, in the order in which they are shown; as many in every epoch."""

BuildDraw = Callable[[TrialConfig, Ints, Ints], Draw]
"""From configuration, the rows to train on (n,) and their strata (n,) to a draw."""


def _uniform(config: TrialConfig, rows: Ints, strata: Ints) -> Draw:
    return lambda generator: generator.permutation(rows)


def _balanced(config: TrialConfig, rows: Ints, strata: Ints) -> Draw:
    settings = config.sampling
    assert isinstance(settings, Balanced)
    _, stratum, counts = np.unique(strata, return_inverse=True, return_counts=True)
    weights = counts[stratum] ** -settings.balance
    shares = weights / weights.sum()
    return lambda generator: generator.choice(rows, len(rows), p=shares)


SAMPLINGS: Parts[BuildDraw] = Parts("sampling", {"uniform": _uniform, "balanced": _balanced})
