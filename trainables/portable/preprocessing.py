"""Preprocessing: what is done to every picture before augmentation and network, always the same.

It acts on pictures as they are stored, in training and prediction alike, and on no mask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""RGB, uint8 (height, width, 3)."""

CLIP, TILES = 2.0, 8
"""Of CLAHE: how far a tile's histogram may exceed an even one, and tiles along each side."""

SIGMA = 1.0
"""Of the blur that sharpening takes away, in pixels."""


def _clahe(picture: Picture) -> Picture:
    """Equalises the lightness of L*a*b* locally; colours keep their hue."""
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(CLIP, (TILES, TILES)).apply(lab[..., 0])
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def _gray(picture: Picture) -> Picture:
    """Luma (ITU-R 601) in all channels."""
    return np.asarray(
        cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8
    )


def _sharpen(picture: Picture) -> Picture:
    """Adds what a blur takes away: an unsharp mask."""
    smooth = cv2.GaussianBlur(picture, (0, 0), SIGMA)
    return np.asarray(cv2.addWeighted(picture, 2.0, smooth, -1.0, 0), np.uint8)


def _gray_world(picture: Picture) -> Picture:
    """Scales the channels to one mean, as if the world were grey (Buchsbaum, 1980)."""
    means = np.array(cv2.mean(picture)[:3])
    gains = np.divide(means.mean(), means, out=np.ones(3), where=means > 0)
    table = np.rint(np.minimum(np.arange(256)[:, None] * gains, 255)).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, table[None]), np.uint8)


PREPROCESSINGS: Mapping[str, Callable[[Picture], Picture]] = {
    "none": lambda picture: picture,
    "clahe": _clahe,
    "gray": _gray,
    "sharpen": _sharpen,
    "gray_world": _gray_world,
}
"""By name; a new one is a function and a line here, and a word in ``spaces/sections/data.py``."""
