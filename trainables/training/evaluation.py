"""What a network in training says of images, and how that compares with their truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from results.masks.metrics import NEED_EDGES
from results.predictions import Predictions
from results.tasks.tasks import TASKS
from spaces.augmentation.stress import Stress
from trainables.inference.predict import predict
from trainables.training.context import TrainingContext
from trainables.training.state import Beat, TrainingState


def predicted(
    training: TrainingState,
    rows: NDArray[np.int64],
    context: TrainingContext,
    workers: int,
    beat: Beat,
    stress: Stress | None = None,
) -> Predictions:
    """What the network says of some images.

    Args:
        training: What is trained.
        rows: int64 (n,), rows of the store.
        context: Data and task.
        workers: Loader processes.
        beat: Called at every batch.
        stress: What the images are subjected to; None for nothing.
    """
    store = context.store
    found = predict(
        training.evaluated,
        training.config,
        store,
        rows,
        training.device,
        context.task,
        workers=workers,
        stress=stress,
        beat=beat,
    )
    return Predictions(
        images=tuple(store.images[row] for row in rows),
        classes=context.classes,
        heads=context.task.heads(found, store.sizes[rows]),
    )


def judged(
    predictions: Predictions, context: TrainingContext, *, edges: bool = False
) -> Predictions:
    """Predictions of training images with what metrics are computed of.

    Boundaries of masks, which take long, are compared where ``edges`` or the metric asks for it.
    """
    edges = edges or context.metric.name in NEED_EDGES
    return TASKS[context.task.name].judged(predictions, context.truth, edges=edges)
