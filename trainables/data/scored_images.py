"""Which held-out images are scored after an epoch that is not the last.

An image takes many windows to predict and gives one to train on. So before the last epoch, which
scores all, a sample has to do; it is the same for all trainings of a job, so that those that early
stopping compares are scored on the same images.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from spaces.sections.data import Windows
from spaces.trial_config import TrialConfig
from trainables.data.even_sample import even_sample
from trainables.data.folds import Folds
from trainables.portable.preparation import Preparation
from trainables.portable.windows import size_at, starts

Ints = NDArray[np.int64]

FEWEST = 32
"""Images that tell a good training from a bad one; docs/segmentation.md has the figures."""


def held_out_rows(config: TrialConfig, folds: Folds, last: bool) -> Ints:
    """Held-out rows that are scored after an epoch, the same ones for every seed.

    Args:
        config: The training.
        folds: Which image is held out when.
        last: Whether it was the last epoch.
    """
    held_out = folds.held_out(config.run.fold)
    count = getattr(config.data, "scored_images", 0)
    if last or not count:
        return held_out
    return even_sample(held_out, folds.labels[held_out], count, config.run.fold)


def affordable_images(config: TrialConfig, folds: Folds, sizes: Ints) -> int:
    """Held-out images with as many windows as an epoch trains on, `FEWEST` at least.

    Args:
        config: The training.
        folds: Which image is held out when.
        sizes: int64 (n, 2), height and width of training images in pixels.

    Returns:
        Their number; 0 where no fold holds out more, so that all are scored.
    """
    settings = config.data
    assert isinstance(settings, Windows)
    stored = Preparation.of(settings.to_json())
    shapes, counts = np.unique(sizes, axis=0, return_counts=True)
    windows = [_windows(settings, *stored.shape_of(*shape)) for shape in shapes.tolist()]
    trained = folds.trained_on(config.run.fold)
    count = max(FEWEST, math.ceil(len(trained) / np.average(windows, weights=counts)))
    largest = max(len(folds.held_out(fold)) for fold in range(folds.count))
    return count if count < largest else 0


def _windows(settings: Windows, height: int, width: int) -> int:
    """Windows in which an image is predicted."""
    count = 1
    sides = size_at(height, width, settings.window_scale)
    for side, window in zip(sides, settings.prediction_size, strict=True):
        count *= len(starts(max(side, window), window, settings.window_overlap))
    return count
