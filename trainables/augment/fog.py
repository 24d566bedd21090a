"""Fog for a whole batch: every image its own, in one call.

albumentations lays thousands of small white disks over an image, each as a thin veil, one after the
other. What they make of a pixel depends on how many cover it only.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import albumentations as A  # noqa: N812 (the library's own convention)
import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from trainables.augment.paints import correlated, levels

VEILS = 255
"""Of one pixel that are counted: no level changes more often, since each veil brightens it."""


def veils_of(
    centres: Sequence[tuple[int, int]], radii: Sequence[int], height: int, width: int
) -> NDArray[np.uint8]:
    """How many disks cover each pixel, up to `VEILS`, uint8 (height, width).

    Args:
        centres: Column and row of each disk's middle, which may lie outside.
        radii: Of each disk, in pixels.
        height: In pixels.
        width: In pixels.
    """
    x, y = np.array(centres, np.int64).reshape(-1, 2, 1).transpose(1, 0, 2)
    largest = max(radii, default=0)
    reach = _reaches(largest)[np.array(radii, np.int64)]
    rows = y + np.arange(-largest, largest + 1)
    seen = (reach >= 0) & (rows >= 0) & (rows < height)
    first, last = ((x + side).clip(0, width)[seen] for side in (-reach, reach + 1))
    line = rows[seen] * (width + 1)
    size = height * (width + 1)
    edges = np.bincount(line + first, minlength=size) - np.bincount(line + last, minlength=size)
    covers = edges.reshape(height, width + 1).cumsum(axis=1)[:, :width]
    return covers.clip(max=VEILS).astype(np.uint8)


@functools.lru_cache(maxsize=16)
def kernel_of(side: int) -> NDArray[np.float32]:
    """What rows and columns of images with this shorter side, in pixels, are smoothed with.

    Returns:
        float32 (length,), of whole numbers over 256: OpenCV's, which a white column turns into.
    """
    column = np.zeros((side, 2 * side + 3, 3), np.uint8)
    column[:, side + 1] = 255
    smooth = A.RandomFog().apply(column, particle_positions=[], radiuses=[], intensity=0)[0, :, 0]
    return np.asarray(np.trim_zeros(smooth) / 256, np.float32)


def veiled(
    images: torch.Tensor, *, veils: torch.Tensor, table: torch.Tensor, kernel: torch.Tensor
) -> torch.Tensor:
    """Lays veils over images, and smooths them.

    Args:
        images: uint8 (k, 3, height, width).
        veils: As of `veils_of`, uint8 (k, height, width).
        table: What one makes of each level, uint8 (k, 256).
        kernel: As of `kernel_of`, float32 (k, length).
    """
    for bit in range(VEILS.bit_length()):
        more = (veils >> bit & 1).bool()[:, None]
        images = torch.where(more, levels(images, table=table), images)
        table = table.gather(1, table.long())  # twice as many veils
    smooth = correlated(correlated(images, kernel[:, None, :]), kernel[:, :, None])
    return (smooth + 0.5).floor().to(torch.uint8)


@functools.lru_cache(maxsize=16)
def _reaches(largest: int) -> NDArray[np.int64]:
    """How far each row of a disk reaches from its middle column, by radius; -1 where it has none.

    Returns:
        int64 (largest + 1, 2 * largest + 1).
    """
    middle, side = (largest, largest), 2 * largest + 1
    disks = [
        cv2.circle(np.zeros((side, side), np.uint8), middle, radius, (1,), -1)
        for radius in range(largest + 1)
    ]
    return np.asarray((np.stack(disks).sum(axis=2, dtype=np.int64) - 1) // 2)
