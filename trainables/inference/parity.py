"""Parity: images read anew from their files reproduce the predictions that were stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from results.predictions import Predictions, predictions_file
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from trainables.data.prepared_images import PreparedImages
from trainables.inference.predict import load_trained, predict_pictures
from trainables.networks.networks import BuildModel
from trainables.tasks.task import TrainingTask
from trainables.training.device import Device

IMAGES = 32
"""Images checked in each file of predictions."""

TOLERANCE = 0.02
"""Largest difference of a probability that rounding may explain, on another device or in bf16."""


def check_parity(
    config: TrialConfig,
    folder: Path,
    images: PreparedImages,
    classes: tuple[str, ...],
    build: BuildModel,
    task: TrainingTask,
    view: str = "",
) -> float:
    """Predicts some hold-out and test images from their files, with the stored weights.

    Decoding, orientation, colour order, boxes, preparation, resizing, normalisation and the order
    of classes all have a part in it, so that a submission cannot come from another path than the
    validation score.

    Args:
        config: The trial's configuration.
        folder: The trial's folder, with its checkpoint and predictions.
        images: The contest's images, read from their files.
        classes: Class names in the contest's order.
        build: Builds the network.
        task: What the outputs mean.
        view: Whose predictions are checked; empty for those of the images as they are.

    Returns:
        The largest difference found.

    Raises:
        InputError: If there is no checkpoint, or something differs; the message says what.
    """
    device = Device.pick(config)
    model = device.placed(load_trained(config, folder, len(classes), build))
    worst = 0.0
    for part in ("holdout", "test"):
        name = predictions_file(part, view)
        stored = Predictions.read(folder / name)
        if stored.classes != classes:
            raise InputError(
                f"{folder / name}: its classes are {', '.join(stored.classes[:5])}, … but the "
                f"contest's are {', '.join(classes[:5])}, …"
            )
        rows = np.unique(np.linspace(0, len(stored.images) - 1, IMAGES).astype(int))
        names = [stored.images[row] for row in rows]
        pictures = [images.read(name, part) for name in names]
        again = predict_pictures(model, config, pictures, device, task, view)[task.head]
        off = task.apart(again, stored.of(tuple(names)).heads[task.head])
        if off.max() > TOLERANCE:
            row = int(rows[off.argmax()])
            raise InputError(
                f"{folder / name}: {int((off > TOLERANCE).sum())} of {len(rows)} images predicted "
                f"anew differ from what is stored, {stored.images[row]!r} by {off.max():.2f}; were "
                "the images or the code changed since the training?"
            )
        worst = max(worst, float(off.max()))
    return worst
