"""What a loss compares the pixels of masks with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from results.masks.truth import Truth
from spaces.trial_config import TrialConfig
from trainables.data.weightings import class_weights


def pixel_targets(
    config: TrialConfig, truth: Truth, rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Targets of a pixel by its number in masks; they add up to how much it counts, on average 1.

    By masks as given: what teachers say of test images has no say. Where classes overlap, a class
    and all else weigh as two classes do.

    Args:
        config: The training.
        truth: True masks of training images.
        rows: int64 (n,), images that are trained on.

    Returns:
        float32 (numbers + 1, classes), or (numbers + 1, classes, 2), how much a pixel is of each
        class, and how much it is not, where classes overlap. The last is that of void: nothing.
    """
    trained = rows[rows < len(truth.images)]
    inside = truth.pixels[trained].sum(axis=0).astype(np.float64)
    members = truth.members
    if truth.overlapping:
        outside = truth.known[trained].sum() - inside
        sizes, sides = np.stack([inside, outside], axis=1), np.stack([members, ~members], axis=2)
    else:
        sizes, sides = inside, members
    weights = class_weights(config, np.arange(sizes.size), sizes.ravel()).reshape(sizes.shape)
    targets = sides * np.where(sizes > 0, weights, 1.0)
    return np.concatenate([targets, np.zeros_like(targets[:1])]).astype(np.float32)
