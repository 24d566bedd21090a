"""Masks in colours over their images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from results.masks.counts import VOID

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
        labels: uint8 (height, width), class indices or `VOID`.

    Returns:
        uint8 (height, width, 3).
    """
    over = colours(VOID + 1)[labels]
    mixed = (1 - OPACITY) * picture + OPACITY * over
    return np.asarray(np.where((labels == VOID)[..., None], 0, np.rint(mixed)), np.uint8)
