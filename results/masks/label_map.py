"""From probabilities per pixel to labels at an image's own size; an export carries this file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

CHANNELS = 512
"""Most that OpenCV resizes at once."""

HALF = 128
"""The least probability above one half, in 255ths."""


def at_size(probabilities: Pixels, height: int, width: int) -> Pixels:
    """Resizes probabilities bilinearly.

    Args:
        probabilities: uint8 (h, w, classes), in 255ths.
        height: In pixels.
        width: In pixels.

    Returns:
        uint8 (height, width, classes).
    """
    if probabilities.shape[:2] == (height, width):
        return probabilities
    import cv2  # here and below, where masks are looked at: records are read without

    count = probabilities.shape[2]
    parts = [
        cv2.resize(
            np.ascontiguousarray(probabilities[..., first : first + CHANNELS]),
            (width, height),
            interpolation=cv2.INTER_LINEAR,
        ).reshape(height, width, -1)
        for first in range(0, count, CHANNELS)
    ]
    return np.asarray(parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2), np.uint8)


def label_map(probabilities: Pixels, height: int, width: int) -> Pixels:
    """The likeliest class of every pixel at an image's own size.

    Args:
        probabilities: uint8 (h, w, classes), in 255ths, of at most 255 classes.
        height: In pixels.
        width: In pixels.

    Returns:
        uint8 (height, width), class indices.
    """
    return np.asarray(at_size(probabilities, height, width).argmax(axis=2), np.uint8)


def class_planes(probabilities: Pixels, height: int, width: int) -> Pixels:
    """The classes of every pixel at an image's own size, where they overlap: those from `HALF` on.

    Args:
        probabilities: uint8 (h, w, classes), in 255ths.
        height: In pixels.
        width: In pixels.

    Returns:
        uint8 (height, width, classes), of 0 and 1.
    """
    return (at_size(probabilities, height, width) >= HALF).view(np.uint8)


def regions(
    probabilities: Pixels, height: int, width: int, overlapping: bool
) -> Iterator[NDArray[np.bool_]]:
    """Where each class is at an image's own size, class after class, bool (height, width).

    Args:
        probabilities: uint8 (h, w, classes), in 255ths.
        height: In pixels.
        width: In pixels.
        overlapping: Whether a pixel can be of several classes.
    """
    if overlapping:
        yield from np.moveaxis(class_planes(probabilities, height, width), 2, 0).astype(np.bool_)
    else:
        labels = label_map(probabilities, height, width)
        yield from (labels == index for index in range(probabilities.shape[2]))


def nearest(labels: Pixels, height: int, width: int) -> Pixels:
    """Resizes labels, each pixel taking the nearest one; uint8 (height, width, …)."""
    if labels.shape[:2] == (height, width):
        return labels
    import cv2

    # INTER_NEAREST is half a pixel off.
    resized = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(resized, np.uint8).reshape(height, width, *labels.shape[2:])
