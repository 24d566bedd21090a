"""Pictures that a finished trial's run gets: where it errs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from results.metrics import Ints
from results.predictions import Predictions, predictions_file
from results.records.labelled_images import LabelledImages
from results.records.trial import Trial
from results.records.trials import Search
from results.reporting.figures import contact_sheet, png
from spaces.errors import InputError

SHOWN = 12
"""Images with their true and predicted masks."""

SIDE = 240
"""Their longest side in pixels."""

ReadImage = Callable[[Search, str], NDArray[np.uint8]]
"""From a search and the name of a training image to its pixels, uint8 (height, width, 3)."""


def drawings(search: Search, trial: Trial, read: ReadImage | None) -> dict[str, bytes]:
    """Draws what there is to see of a finished trial, files' contents by name.

    Args:
        search: Its search.
        trial: The trial.
        read: Reads images, over which masks are drawn; None where they cannot be had.
    """
    labels = _labels(search.folds_file, trial.config.run.fold)
    predictions = Predictions.read(search.trial_folder(trial) / predictions_file("holdout"))
    found = dict(search.task.diagnostics(labels, predictions, search.truth))
    if read is not None and search.truth is not None:
        panels = worst(search, labels, predictions, read)
        if panels:
            found["worst.png"] = png(contact_sheet([p for p, _ in panels], [w for _, w in panels]))
    return found


def worst(
    search: Search, labels: Ints, predictions: Predictions, read: ReadImage
) -> list[tuple[NDArray[np.uint8], str]]:
    """The images with most wrong pixels beside their true and predicted masks, with captions.

    Args:
        search: Their search.
        labels: int64 (n,).
        predictions: Of the same images, judged.
        read: Reads images; where it cannot, nothing is shown.
    """
    task, panels = search.task, []
    for row in task.worst(labels, predictions)[:SHOWN].tolist():
        image = predictions.images[row]
        try:
            picture = _small(read(search, image))
        except (InputError, OSError, ValueError):  # the images are elsewhere by now
            return []
        one = predictions.of((image,))
        panels.append(task.panel(picture, int(labels[row]), one, search.truth))
    return panels


@functools.lru_cache(maxsize=2)
def _labels(folds_file: Path, fold: int) -> Ints:
    """Labels of a fold's images, which nearly all trials of a search hold out."""
    return LabelledImages.of_fold(folds_file, fold).labels


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    factor = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
