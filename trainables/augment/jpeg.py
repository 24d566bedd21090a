"""JPEG's losses for a whole batch: every image at its own quality, in one call.

The very numbers of libjpeg (ITU-T T.81; its slow integer transform, its way of halving and doubling
colours), but that nothing is coded.
"""

from __future__ import annotations

import functools

import numpy as np
import torch
from numpy.typing import NDArray

BLOCK = 8

LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""Steps of brightness at quality 50: table K.1."""

CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *[(99,) * 8] * 4,
)
"""Steps of colours: table K.2."""


CONST_BITS, PASS_BITS = 13, 2
"""Of libjpeg's fixed-point numbers, and of those between rows and columns."""

WAVES = (
    (8192, 8192, 8192, 8192),
    (11363, 9633, 6437, 2260),
    (10703, 4433, -4433, -10703),
    (9633, -2259, -11362, -6436),
    (8192, -8192, -8192, 8192),
    (6437, -11362, 2261, 9633),
    (4433, -10704, 10704, -4433),
    (2260, -6436, 9633, -11363),
)
"""The left half of its cosine transform, by frequency; the right one mirrors it."""


def steps_of(quality: int) -> NDArray[np.float32]:
    """Steps of brightness and of colours at a quality from 1 to 100, float32 (2, 8, 8)."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    scaled = (np.array([LUMA, CHROMA]) * scale + 50) // 100
    return scaled.clip(1, 255).astype(np.float32)


def compressed(images: torch.Tensor, *, steps: torch.Tensor) -> torch.Tensor:
    """What is left of images that are compressed, colours at half the resolution.

    Args:
        images: uint8 (k, 3, height, width), blue first: albumentations hands what it has, red
            first, to a coder that takes it so.
        steps: As of `steps_of`, float32 (k, 2, 8, 8).
    """
    height, width = images.shape[-2:]
    blue, green, red = images.int().unbind(dim=1)
    luma = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
    offset = (128 << 16) + 32767
    cb = (-11059 * red - 21709 * green + 32768 * blue + offset) >> 16
    cr = (32768 * red - 27439 * green - 5329 * blue + offset) >> 16
    luma = _quantised(luma, steps[:, 0])[:, :height, :width]
    cb, cr = (
        _doubled(_quantised(_halved(plane), steps[:, 1])[:, : -(-height // 2), : -(-width // 2)])
        for plane in (cb, cr)
    )
    cb, cr = (plane[:, :height, :width] - 128 for plane in (cb, cr))
    found = (
        luma + ((116130 * cb + 32768) >> 16),
        luma + ((-22554 * cb - 46802 * cr + 32768) >> 16),
        luma + ((91881 * cr + 32768) >> 16),
    )
    return torch.stack(found, dim=1).clamp(0, 255).to(torch.uint8)


def _quantised(plane: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
    """Levels int32 (k, rows, cols) after rounding their frequencies, in whole blocks."""
    plane = _grown(plane, *(-side % BLOCK for side in plane.shape[1:]))
    count, rows, cols = plane.shape
    blocks = plane.view(count, rows // BLOCK, BLOCK, cols // BLOCK, BLOCK).transpose(2, 3)
    waves = _waves(plane.device)
    step = steps[:, None, None].double()
    along = _shifted((blocks - 128).double() @ waves.T, CONST_BITS - PASS_BITS)
    shares = _shifted(waves @ along, CONST_BITS + PASS_BITS) / 8
    kept = shares.sign() * (shares.abs() / step + 0.5).floor() * step
    down = _shifted(waves.T @ kept, CONST_BITS - PASS_BITS)
    levels = _shifted(down @ waves, CONST_BITS + PASS_BITS + 3) + 128
    return levels.clamp(0, 255).int().transpose(2, 3).reshape(plane.shape)


def _shifted(values: torch.Tensor, bits: int) -> torch.Tensor:
    """Whole numbers divided by a power of two and rounded, halves up."""
    return (values / (1 << bits) + 0.5).floor()


@functools.lru_cache(maxsize=4)
def _waves(device: torch.device) -> torch.Tensor:
    """The cosine transform of eight numbers, float64: products of whole numbers stay exact."""
    half = torch.tensor(WAVES, dtype=torch.float64, device=device)
    signs = torch.tensor([1.0, -1.0] * 4, dtype=torch.float64, device=device)
    return torch.cat([half, signs[:, None] * half.flip(1)], dim=1)


def _halved(plane: torch.Tensor) -> torch.Tensor:
    """Means of two by two, which are rounded down and up in turn."""
    cols = plane.shape[2]
    plane = _grown(plane, plane.shape[1] % 2, -cols % (2 * BLOCK))
    total = plane[:, ::2, ::2] + plane[:, ::2, 1::2] + plane[:, 1::2, ::2] + plane[:, 1::2, 1::2]
    turns = 1 + torch.arange(total.shape[2], device=plane.device, dtype=torch.int32) % 2
    return (total + turns) >> 2


def _doubled(plane: torch.Tensor) -> torch.Tensor:
    """Twice as many rows and columns, of which each is three parts the nearest, one the next."""
    before, after = plane[:, :1], plane[:, -1:]
    above = 3 * plane + torch.cat([before, plane[:, :-1]], dim=1)
    below = 3 * plane + torch.cat([plane[:, 1:], after], dim=1)
    rows = torch.stack([above, below], dim=2).flatten(1, 2)
    left = 3 * rows + torch.cat([rows[..., :1], rows[..., :-1]], dim=2) + 8
    right = 3 * rows + torch.cat([rows[..., 1:], rows[..., -1:]], dim=2) + 7
    return torch.stack([left >> 4, right >> 4], dim=3).flatten(2, 3)


def _grown(plane: torch.Tensor, rows: int, cols: int) -> torch.Tensor:
    """More rows and columns, each the last one again."""
    plane = torch.cat([plane, plane[:, -1:].expand(-1, rows, -1)], dim=1)
    return torch.cat([plane, plane[..., -1:].expand(-1, -1, cols)], dim=2)
