"""The images of one training, with what it learns of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from results.tasks.tasks import TASKS
from spaces.trial_config import TrialConfig
from trainables.data.labellings import labelled

if TYPE_CHECKING:
    from trainables.training.context import TrainingContext


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingSet:
    """The images of one training, with what it learns of them.

    Targets may be soft and weighted: those of an image that counts half add up to half. Mixing
    images mixes their targets, weights included.

    Attributes:
        rows: int64 (n,), rows of the image store that are trained on.
        targets: float32 (store rows, …), what a loss compares outputs with, by row of the store.
        strata: int64 (store rows,), what a sampling balances, by row of the store.
    """

    rows: NDArray[np.int64]
    targets: NDArray[np.float32]
    strata: NDArray[np.int64]


def training_set(config: TrialConfig, context: TrainingContext) -> TrainingSet:
    """What a training learns from: the images of all folds but its own, with their labels.

    Of images whose label was corrected it learns what the section ``labels`` says.

    Args:
        config: The training.
        context: Data, folds and task.
    """
    folds, task = context.folds, context.task
    labels, counts = labelled(config, folds.labels, context.corrections)
    rows, targets = folds.trained_on(config.run.fold), task.targets(labels, len(context.classes))
    return TrainingSet(
        rows=rows[counts[rows] > 0],
        targets=targets * counts.reshape(-1, *[1] * (targets.ndim - 1)),
        strata=TASKS[task.name].strata(labels),
    )
