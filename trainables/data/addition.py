"""Images that a training learns from beside the labelled ones of the contest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

PSEUDO_IMAGES = "train/pseudo_images"
"""Name, in reports, of how many test images teachers were sure enough of."""

MaskOf = Callable[[int, tuple[int, int]], NDArray[np.uint8]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Addition:
    """Images that a training learns from beside the labelled ones of the contest.

    Attributes:
        rows: int64 (n,), rows of the image store.
        targets: float32 (n, …), what a loss compares outputs with, weights included.
        strata: int64 (n,), what a sampling balances.
        told: What the reports of the training say of it, by the name of a metric.
        masks: From a row and the height and width of its stored image to its mask, uint8 (height,
            width), or a `soft_mask`; None where targets are of whole images.
    """

    rows: NDArray[np.int64]
    targets: NDArray[np.float32]
    strata: NDArray[np.int64]
    told: Mapping[str, float] = field(default_factory=dict)
    masks: MaskOf | None = None


NOTHING = Addition(
    rows=np.empty(0, np.int64), targets=np.empty(0, np.float32), strata=np.empty(0, np.int64)
)
"""No further images."""
