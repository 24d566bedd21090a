"""Pictures that a finished trial's run gets: where it errs."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from results.metrics import Ints
from results.predictions import Predictions
from results.records.labelled_images import LabelledImages
from results.records.trial import Trial
from results.records.trials import Search
from results.reporting.figures import contact_sheet
from spaces.errors import InputError

SHOWN = 12
"""Images with their true and predicted masks."""

SIDE = 240
"""Their longest side in pixels."""

ReadImage = Callable[[Search, str], NDArray[np.uint8]]
"""From a search and the name of a training image to its pixels, uint8 (height, width, 3)."""


def drawings(search: Search, trial: Trial, read: ReadImage | None) -> dict[str, Figure]:
    """Draws what there is to see of a finished trial, by file name.

    Args:
        search: Its search.
        trial: The trial.
        read: Reads images, over which masks are drawn; None where they cannot be had.
    """
    labels = LabelledImages.of_fold(search.folds_file, trial.config.run.fold).labels
    predictions = Predictions.read(search.trial_folder(trial) / "holdout.npz")
    found = dict(search.task.diagnostics(labels, predictions, search.truth))
    if read is not None and search.truth is not None:
        worst = _worst(search, labels, predictions, read)
        if worst is not None:
            found["worst.png"] = worst
    return found


def _worst(
    search: Search, labels: Ints, predictions: Predictions, read: ReadImage
) -> Figure | None:
    """The images with most wrong pixels, their true and predicted masks; None without images."""
    task, pictures, captions = search.task, [], []
    for row in task.worst(labels, predictions)[:SHOWN].tolist():
        image = predictions.images[row]
        try:
            picture = _small(read(search, image))
        except (InputError, OSError, ValueError):  # the images are elsewhere by now
            return None
        one = predictions.of((image,))
        panel, words = task.panel(picture, int(labels[row]), one, search.truth)
        pictures.append(panel)
        captions.append(words)
    return contact_sheet(pictures, captions)


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    factor = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
