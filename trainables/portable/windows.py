"""Windows of large images: where they lie, and predictions put together from them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .images import resize

Picture = NDArray[np.uint8]
"""RGB, uint8 (height, width, 3)."""

Forward = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""From windows uint8 (n, height, width, 3) to probabilities float32 (n, classes, height, width)."""

SPREAD = 1 / 8
"""Standard deviation of the Gaussian weights, as a share of a window's side (Isensee et al.,
nnU-Net, Nature Methods 2021)."""

LEAST = 1e-3
"""Smallest weight of a pixel, so that every pixel of an image has one."""


def starts(side: int, window: int, overlap: float) -> list[int]:
    """Where windows begin along a side, evenly, so that the last ends with the image.

    Args:
        side: Of the image in pixels, at least that of the window.
        window: Of the window in pixels.
        overlap: Share of the window by which it overlaps the next, at least.
    """
    step = max(1.0, window * (1 - overlap))
    count = math.ceil((side - window) / step) + 1 if side > window else 1
    return [round(place) for place in np.linspace(0, side - window, count)]


def weights_of(how: str, height: int, width: int, overlap: float) -> NDArray[np.float32]:
    """How much the pixels of a window count, float32 (height, width), above 0.

    Args:
        how: ``gaussian``, ``flat``, or ``cut``: pixels nearer to an edge than half the overlap
            count next to nothing.
        height: In pixels.
        width: In pixels.
        overlap: Share of a window's side by which it overlaps the next.
    """

    def along(side: int) -> Any:
        place = np.arange(side) + 0.5
        if how == "gaussian":
            return np.exp(-(((place - side / 2) / (SPREAD * side)) ** 2) / 2)
        if how == "cut":
            edge = np.minimum(place, side - place)
            return np.where(edge > overlap * side / 2, 1.0, LEAST)
        return np.ones(side)

    found = np.outer(along(height), along(width))
    return np.asarray(np.maximum(found / found.max(), LEAST), np.float32)


def scaled(picture: Picture, scale: float, window: tuple[int, int]) -> Picture:
    """An image at the scale at which windows are cut out, uint8 (height, width, 3).

    One that is smaller than a window gets a border that mirrors it, at the right and below.
    """
    height, width = size_at(picture.shape[0], picture.shape[1], scale)
    found = resize(picture, height, width)
    below, right = max(0, window[0] - height), max(0, window[1] - width)
    if below or right:
        border = cv2.BORDER_REFLECT_101 if min(height, width) > 1 else cv2.BORDER_REPLICATE
        found = np.asarray(cv2.copyMakeBorder(found, 0, below, 0, right, border), np.uint8)
    return found


def size_at(height: int, width: int, scale: float) -> tuple[int, int]:
    """Height and width of an image at a scale."""
    return max(1, round(height * scale)), max(1, round(width * scale))


def predicted(
    picture: Picture,
    forward: Forward,
    *,
    window: tuple[int, int],
    scale: float,
    overlap: float,
    how: str,
    batch: int,
) -> NDArray[np.uint8]:
    """Predicts an image window by window.

    Args:
        picture: uint8 (height, width, 3), at its own size.
        forward: The network.
        window: Height and width in pixels.
        scale: Of the image, before windows are cut out.
        overlap: Share of a window's side by which it overlaps the next.
        how: How much the pixels of a window count; see `weights_of`.
        batch: Windows at once.

    Returns:
        Probabilities in 255ths, uint8 (h, w, classes), at the scale.
    """
    seen = scaled(picture, scale, window)
    height, width = seen.shape[:2]
    places = [
        (top, left)
        for top in starts(height, window[0], overlap)
        for left in starts(width, window[1], overlap)
    ]
    counts = weights_of(how, *window, overlap)
    total = np.zeros((height, width), np.float32)
    found: NDArray[np.float32] | None = None
    for some in _in_batches(places, batch):
        cut = np.stack([seen[t : t + window[0], x : x + window[1]] for t, x in some])
        for (top, left), one in zip(some, forward(cut), strict=True):
            if found is None:
                found = np.zeros((height, width, one.shape[0]), np.float32)
            part = np.s_[top : top + window[0], left : left + window[1]]
            found[part] += one.transpose(1, 2, 0) * counts[..., None]
            total[part] += counts
    assert found is not None
    height, width = size_at(picture.shape[0], picture.shape[1], scale)
    whole = np.empty((height, width, found.shape[2]), np.uint8)
    for row in range(height):  # row by row: a copy of all would be as large as what is added up
        whole[row] = np.rint(255 * found[row, :width] / total[row, :width, None])
    return whole


def _in_batches(
    places: Sequence[tuple[int, int]], batch: int
) -> Iterator[Sequence[tuple[int, int]]]:
    return (places[first : first + batch] for first in range(0, len(places), batch))
