"""What an actor does with a configuration, by name; a new one is a function and a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from trainables.parts import Parts
from trainables.training.density_matching import density_matching
from trainables.training.fit import Epoch, fit
from trainables.training.mixmatch import mixmatch
from trainables.training.segment import segment

Action = Callable[..., Iterator[Epoch]]
"""Called as `fit` is: yields a report for every epoch that an early stop may follow."""

ACTIONS: Parts[Action] = Parts(
    "run",
    {
        "train": fit,
        "mixmatch": mixmatch,
        "density_matching": density_matching,
        "segment": segment,
    },
)
