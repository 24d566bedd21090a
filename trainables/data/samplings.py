"""Which images an epoch shows, by name; a new one is a function and a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spaces.errors import InputError
from spaces.sections.run import MixMatch
from spaces.sections.sampling import Balanced
from spaces.trial_config import TrialConfig
from trainables.data.training_set import TrainingSet, training_set
from trainables.parts import Parts

if TYPE_CHECKING:
    from trainables.training.context import TrainingContext

Ints = NDArray[np.int64]

Draw = Callable[[np.random.Generator], Ints]
"""The store rows of an epoch, in the order in which they are shown; as many in every epoch."""

BuildDraw = Callable[[TrialConfig, TrainingSet], Draw]
"""From configuration and what is trained on to a draw."""


def _uniform(config: TrialConfig, learned: TrainingSet) -> Draw:
    return lambda generator: generator.permutation(learned.rows)


def _balanced(config: TrialConfig, learned: TrainingSet) -> Draw:
    settings = config.sampling
    assert isinstance(settings, Balanced)
    return _by_size(learned.rows, learned.strata, settings.balance)


def _grouped(config: TrialConfig, learned: TrainingSet) -> Draw:
    if learned.groups is None:
        raise InputError(
            "sampling=grouped shows all groups equally often, and there are none: data.group= "
            "names them"
        )
    return _by_size(learned.rows, learned.groups, 1.0)


def _by_size(rows: Ints, kinds: Ints, power: float) -> Draw:
    """Draws with replacement, in proportion to the size of an image's kind to minus a power.

    Args:
        rows: Rows of the store.
        kinds: By row of the store.
        power: 1 shows all kinds equally often.
    """
    _, kind, counts = np.unique(kinds[rows], return_inverse=True, return_counts=True)
    weights = counts[kind] ** -power
    shares = weights / weights.sum()
    return lambda generator: generator.choice(rows, len(rows), p=shares)


SAMPLINGS: Parts[BuildDraw] = Parts(
    "sampling", {"uniform": _uniform, "balanced": _balanced, "grouped": _grouped}
)


def check_images(config: TrialConfig, context: TrainingContext) -> None:
    """Raises InputError unless there are the images that a training is to learn from.

    Args:
        config: The training.
        context: Data, folds and task.
    """
    SAMPLINGS.of(config.sampling)(config, training_set(config, context))
    if isinstance(config.run, MixMatch):
        unlabelled_rows(config, context)


def unlabelled_rows(config: TrialConfig, context: TrainingContext) -> Ints:
    """Rows of images that are learned from without a label: test images.

    Raises:
        InputError: If there are none.
    """
    if not len(context.test_rows):
        raise InputError(f"action={config.run.kind} learns from test images, and there are none")
    return context.test_rows
