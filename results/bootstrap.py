"""Resampling of images, by whole groups where there are any."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def bootstrap_weights(
    images: int, draws: int, groups: NDArray[np.str_] | None = None, seed: int = 0
) -> NDArray[np.float64]:
    """How often each image is drawn.

    Args:
        images: Number of images.
        draws: Number of resamples.
        groups: str (images,); whole groups are drawn with replacement, since images of one group
            are not independent.
        seed: Of the draws.

    Returns:
        Whole numbers as float64 (draws, images).
    """
    rng = np.random.default_rng(seed)
    if groups is None:
        unit = np.arange(images)
    else:
        _, unit = np.unique(groups, return_inverse=True)
    units = int(unit.max()) + 1
    counts = rng.multinomial(units, np.full(units, 1 / units), size=draws)
    return counts[:, unit].astype(np.float64)
