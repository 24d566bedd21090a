"""The contest's metric on images that were trained on, and how far held-out ones lie behind."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from results.metrics import all_scores
from trainables.data.even_sample import even_sample
from trainables.data.training_set import TrainingSet
from trainables.training.context import TrainingContext
from trainables.training.evaluation import judged, predicted
from trainables.training.state import Beat, TrainingState


def training_score(
    training: TrainingState,
    context: TrainingContext,
    scores: Mapping[str, float],
    workers: int,
    beat: Beat,
) -> dict[str, float]:
    """Scores the contest's metric on images that were trained on, as they are, not augmented.

    There are at most as many of them as are held out, so that it costs no more than that.

    Args:
        training: What was trained.
        context: Data and metric.
        scores: On the held-out images.
        workers: Loader processes.
        beat: Called at every batch.

    Returns:
        ``train/<metric>``, and ``gap/<metric>`` in points, positive where held-out images score
        worse; nothing where the metric is not defined on these images.
    """
    metric, folds = context.metric, context.folds
    rows = scored_rows(training.learned, context, training.config.run.fold)
    found = judged(predicted(training, rows, context, workers, beat), context)
    told = all_scores(folds.labels[rows], found.judged, [metric])
    return {
        name: value
        for score in told.values()
        for name, value in (
            (f"train/{metric.name}", score),
            (f"gap/{metric.name}", metric.gain(score, scores[metric.name])),
        )
    }


def scored_rows(learned: TrainingSet, context: TrainingContext, fold: int) -> NDArray[np.int64]:
    """Of the contest's own images that are trained on, a share of every class; at least one each.

    They are the same ones for every seed.
    """
    own = learned.rows[learned.rows < len(context.folds.labels)]
    most = min(len(own), len(context.folds.held_out(fold)))
    return even_sample(own, learned.strata[own], most, fold)
