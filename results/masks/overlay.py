"""Masks in colours over their images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from results.masks.counts import VOID
from results.metrics import Floats

OPACITY = 0.55
"""Of a mask over its image."""

PALETTE = (
    "1f77b4aec7e8ff7f0effbb782ca02c98df8ad62728ff98969467bdc5b0d5"
    "8c564bc49c94e377c2f7b6d27f7f7fc7c7c7bcbd22dbdb8d17becf9edae5"
)
"""Twenty colours in hexadecimal digits, matplotlib's ``tab20``."""


def colours(classes: int) -> NDArray[np.uint8]:
    """A colour per class, uint8 (classes, 3), in turn those of the palette."""
    table = np.frombuffer(bytes.fromhex(PALETTE), np.uint8).reshape(-1, 3)
    return np.asarray(table[np.arange(classes) % len(table)])


def overlay(picture: NDArray[np.uint8], labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A mask in colours over its image; void pixels stay black.

    Args:
        picture: uint8 (height, width, 3).
        labels: uint8 (height, width) of class indices or `VOID`; where classes overlap (height,
            width, classes) of 0, 1 or `VOID`, whose colours are mixed.

    Returns:
        uint8 (height, width, 3).
    """
    void = labels == VOID
    over: Floats
    if labels.ndim == 2:
        over, shown = colours(VOID + 1)[labels].astype(np.float64), np.full(void.shape, OPACITY)
    else:
        there, void = labels == 1, void.any(axis=2)
        count = there.sum(axis=2)
        mixed = there.astype(np.float64) @ colours(labels.shape[2])
        over = mixed / np.maximum(count, 1)[..., None]
        shown = np.where(count > 0, OPACITY, 0.0)
    shown = shown[..., None]
    mixed = (1 - shown) * picture + shown * over
    return np.asarray(np.where(void[..., None], 0, np.rint(mixed)), np.uint8)
