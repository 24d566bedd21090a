"""Scores of what a training says of held-out images, by labels as given and as corrected."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from results.masks.metrics import NEED_EDGES
from results.metrics import all_scores, corrected
from results.predictions import Predictions
from results.tasks.tasks import TASKS
from trainables.data.mask_corrections import MaskCorrections
from trainables.training.context import TrainingContext
from trainables.training.training_error import TrainingError


def scores_of(
    predictions: Predictions, rows: NDArray[np.int64], context: TrainingContext
) -> dict[str, float]:
    """All metrics of the task, the contest's on corrected labels, too, by name.

    Args:
        predictions: Of held-out images.
        rows: int64 (n,), theirs in the store.
        context: Labels, task and metric.

    Raises:
        TrainingError: If the contest's metric is not defined on them.
    """
    metrics = {**TASKS[context.task.name].metrics, context.metric.name: context.metric}
    scores = all_scores(context.folds.labels[rows], predictions.judged, metrics.values())
    if context.metric.name not in scores:
        raise TrainingError(f"{context.metric.name} is not defined on the hold-out's predictions")
    return scores | _corrected_score(predictions, rows, context)


def _corrected_score(
    predictions: Predictions, rows: NDArray[np.int64], context: TrainingContext
) -> dict[str, float]:
    """The contest's metric on labels as corrected, where there are such, and it is defined."""
    if context.corrections is None:
        return {}
    used = ~context.corrections.left_out[rows]
    if not used.any():
        return {}
    labels = context.corrections.labels[rows[used]]
    beside = beside_corrected(predictions, rows, context)
    found = all_scores(labels, beside[used], [context.metric])
    return {corrected(name): value for name, value in found.items()}


def beside_corrected(
    predictions: Predictions, rows: NDArray[np.int64], context: TrainingContext
) -> NDArray[np.float32]:
    """What predictions come to beside labels, or masks, as they should be, float32 (n, …).

    Args:
        predictions: Of held-out images, judged beside what is given.
        rows: int64 (n,), theirs in the store.
        context: Corrections and masks.
    """
    changed = context.corrections
    if not isinstance(changed, MaskCorrections) or not changed.relabelled[rows].any():
        return predictions.judged
    assert context.truth is not None
    beside, some = predictions.judged.copy(), changed.relabelled[rows]
    truth = changed.truth(context.truth, rows[some].tolist())
    edges = context.metric.name in NEED_EDGES
    again = TASKS[context.task.name].judged(predictions.of(truth.images), truth, edges=edges)
    beside[some] = again.judged
    return beside
