"""Lightness and colours (L*a*b*) of a whole batch, as OpenCV computes them in bytes.

Its very numbers: whole ones of sRGB under D65, and tables of what is more than a product.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

XYZ_BITS, ROOT_BITS, BACK_BITS = 12, 15, 14
"""Of fixed-point numbers: of shares of colours, of cube roots, and of all on the way back."""

ONE = 1 << BACK_BITS
"""White's X, Y and Z on the way back, and their cube roots."""

TO_XYZ = ((1777, 1541, 778), (871, 2929, 296), (73, 448, 3575))
"""Shares of linear red, green and blue in X, Y and Z."""

FROM_XYZ = ((12615, -6296, -2223), (-3773, 7684, 185), (217, -836, 4715))
"""Shares of X, Y and Z in linear red, green and blue."""

BRIGHTEST, ROOTS, LEVELS = 8 * 255, 12 * 256, 1 << 12
"""White's linear colours, how many numbers have a cube root, and how many become bytes again."""

HALVES = {49: 9454, 628: 22126}
"""Cube roots so near to a half that OpenCV's single precision rounds them the other way."""

Planes = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class Tables(NamedTuple):
    """What becomes of numbers from 0 on.

    Attributes:
        linear: Linear colours of bytes, int32 (256,).
        roots: Cube roots of X, Y and Z, int32 (`ROOTS`,).
        heights: Y of lightness, int32 (256,).
        bases: Cube roots of these, int32 (256,).
        bytes: Bytes of linear colours, uint8 (`LEVELS`,).
    """

    linear: torch.Tensor
    roots: torch.Tensor
    heights: torch.Tensor
    bases: torch.Tensor
    bytes: torch.Tensor


def planes_of(images: torch.Tensor) -> Planes:
    """Lightness, a* and b* of images.

    Args:
        images: uint8 (k, 3, height, width).

    Returns:
        int32 (k, height, width) each, from 0 to 255.
    """
    tables = _tables(images.device)
    linear = tables.linear.take(images.long()).unbind(dim=1)
    x, y, z = (tables.roots.take(plane.long()) for plane in _mixed(linear, TO_XYZ, XYZ_BITS))
    black, middle = (16 * 255 * 2**ROOT_BITS + 50) // 100, 128 << ROOT_BITS
    half = 1 << (ROOT_BITS - 1)
    light = (296 * y - black + half) >> ROOT_BITS
    a = (500 * (x - y) + middle + half) >> ROOT_BITS
    b = (200 * (y - z) + middle + half) >> ROOT_BITS
    return light, a, b


def images_of(light: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Images uint8 (k, 3, height, width) of planes as of `planes_of`."""
    tables = _tables(light.device)
    base = tables.bases.take(light.long())
    # A 500th of a* and a 200th of b*, from middles of 128.
    x = _cubed(base + ((5 * 53687 * a + 128) >> 13) - 128 * ONE // 500)
    z = _cubed(base - ((41943 * b + 16) >> 9) + 128 * ONE // 200 - 1)
    y = tables.heights.take(light.long())
    linear = torch.stack(_mixed((x, y, z), FROM_XYZ, BACK_BITS), dim=1)
    return tables.bytes.take(linear.clamp(0, LEVELS - 1).long())


def _mixed(
    planes: Sequence[torch.Tensor], shares: Sequence[Sequence[int]], bits: int
) -> list[torch.Tensor]:
    """Three sums of three planes, of shares that are divided by a power of two."""
    first, second, third = planes
    return [(p * first + q * second + r * third + (1 << (bits - 1))) >> bits for p, q, r in shares]


def _cubed(roots: torch.Tensor) -> torch.Tensor:
    """X or Z of its cube root; CIE has a line instead of it below 6/29."""
    line = torch.div(108 * roots, 841, rounding_mode="trunc") - 16 * ONE // 116 * 108 // 841
    return torch.where(roots > 3390, (((roots * roots) >> BACK_BITS) * roots) >> BACK_BITS, line)


@functools.lru_cache(maxsize=4)
def _tables(device: torch.device) -> Tables:
    levels = np.arange(256) / 255
    linear = np.where(levels > 0.04045, ((levels + 0.055) / 1.055) ** 2.4, levels / 12.92)
    xyz = np.arange(ROOTS) / BRIGHTEST
    roots = np.where(xyz < 216 / 24389, xyz * 841 / 108 + 16 / 116, np.cbrt(xyz))
    roots = (roots * (1 << ROOT_BITS)).round()
    for place, root in HALVES.items():
        roots[place] = root
    bases = (100 * levels + 16) / 116
    heights = np.where(np.arange(256) > 20, bases**3, 100 * levels * 27 / 29**3)
    bases = np.where(np.arange(256) > 20, bases, heights * 841 / 108 + 16 / 116)
    steps = np.arange(LEVELS) / LEVELS
    again = np.where(steps > 0.0031308, 1.055 * steps ** (1 / 2.4) - 0.055, steps * 12.92)

    def table(values: NDArray[Any], scale: int, kind: type = np.int32) -> torch.Tensor:
        return torch.from_numpy((values * scale).round().astype(kind)).to(device)

    return Tables(
        linear=table(linear, BRIGHTEST),
        roots=table(roots, 1),
        heights=table(heights, ONE),
        bases=table(bases, ONE),
        bytes=table(again, 255, np.uint8),
    )
