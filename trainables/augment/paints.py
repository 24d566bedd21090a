"""Colours, sharpness and holes of a whole batch: every image its own, in one call.

All take and give uint8 (k, 3, height, width), and round as albumentations does.
"""

from __future__ import annotations

import torch
from torch.nn.functional import conv2d

from trainables.augment.moves import picked

GREY = (9798, 19235, 3735)
"""OpenCV's shares of red, green and blue, of 2 to the power of 15."""


def levels(images: torch.Tensor, *, table: torch.Tensor) -> torch.Tensor:
    """Another level for each: table uint8 (k, 256) or (k, 3, 256)."""
    tables = table if table.ndim == 3 else table[:, None].expand(-1, 3, -1)
    first = 256 * torch.arange(len(images) * 3, device=images.device).view(-1, 3, 1, 1)
    return tables.reshape(-1).take(images + first)


def shades(images: torch.Tensor, *, region: torch.Tensor, tables: torch.Tensor) -> torch.Tensor:
    """Another level for each, by region of the image.

    Args:
        images: uint8 (k, 3, height, width).
        region: Of every pixel, uint8 (k, height, width).
        tables: Of every region, uint8 (k, regions, 256).
    """
    count, regions = tables.shape[:2]
    first = regions * torch.arange(count, device=images.device).view(-1, 1, 1) + region
    return tables.reshape(-1).take(256 * first[:, None] + images)


def contrast(images: torch.Tensor, *, factor: torch.Tensor) -> torch.Tensor:
    """Away from the mean grey, or towards it: factor float32 (k,)."""
    mean = _grey(images).flatten(1).to(torch.float64).mean(dim=1)
    shift = (mean * (1 - factor)).float()
    table = factor[:, None] * torch.arange(256, device=images.device) + shift[:, None]
    return levels(images, table=table.clamp(0, 255).to(torch.uint8))


def saturation(images: torch.Tensor, *, factor: torch.Tensor) -> torch.Tensor:
    """Away from each pixel's grey, or towards it: factor float32 (k,)."""
    return _blended(images, _grey(images)[:, None], factor)


def sharpness(images: torch.Tensor, *, factor: torch.Tensor) -> torch.Tensor:
    """Away from the smoothed image, or towards it: factor float32 (k,)."""
    kernel = torch.ones(len(images), 3, 3, device=images.device)
    kernel[:, 1, 1] = 5
    smooth = _rounded(correlated(images, kernel / 13))
    found = images.clone()
    inner = (..., slice(1, -1), slice(1, -1))  # the one-pixel border is kept, as in PIL
    found[inner] = _blended(images, smooth, factor)[inner]
    return found


def hue(images: torch.Tensor, *, factor: torch.Tensor) -> torch.Tensor:
    """Turns hues by a share of the circle, float32 (k,), in OpenCV's steps of two degrees."""
    sixth, spread, top = hues(images)
    scale, half = 1 << 12, 1 << 11
    steps = torch.arange(256, device=images.device).clamp(min=1).double()
    by_spread = (180 * scale / (6 * steps)).round().int()
    by_top = (255 * scale / steps).round().int()
    turned = (sixth * by_spread[spread] + half) >> 12
    turned = turned + 180 * (turned < 0)
    share = ((spread * by_top[top] + half) >> 12).float() / 255
    moved = (turned.double() + 180 * factor.double()[:, None, None]).remainder(180).floor()
    below = below_top(moved.float() / 30)
    return (top[:, None] * (1 - share[:, None] * below)).to(torch.uint8)


def autocontrast(images: torch.Tensor) -> torch.Tensor:
    """Stretches every channel to the full range; albumentations' histogram ends before white."""
    flat = images.flatten(2)
    low = flat.amin(dim=2, keepdim=True).double()
    high = torch.where(flat < 255, flat, 0).amax(dim=2, keepdim=True).double()
    steps = torch.arange(256, device=images.device)
    table = ((steps - low) * (255 / (high - low).clamp(min=1))).round().clamp(0, 255)
    return levels(images, table=torch.where(high > low, table, steps).to(torch.uint8))


def equalize(images: torch.Tensor) -> torch.Tensor:
    """Makes the histogram of every channel even, as PIL does."""
    first = 256 * torch.arange(len(images) * 3, device=images.device).view(-1, 3, 1, 1)
    counts = torch.bincount((images + first).flatten(), minlength=256 * 3 * len(images))
    counts = counts.view(-1, 3, 256)
    below = counts.cumsum(dim=2)
    brightest = images.flatten(2).amax(dim=2, keepdim=True).long()
    step = (below[..., -1:] - counts.gather(2, brightest)) // 255
    table = ((below + step // 2) // step.clamp(min=1)).clamp(max=255)
    steps = torch.arange(256, device=images.device)
    return levels(images, table=torch.where(step > 0, table, steps).to(torch.uint8))


def blur(images: torch.Tensor, *, kernel: torch.Tensor) -> torch.Tensor:
    """Smooths by rows, then by columns: kernel float32 (k, length)."""
    return _rounded(correlated(correlated(images, kernel[:, None, :]), kernel[:, :, None]))


def filtered(images: torch.Tensor, *, kernel: torch.Tensor) -> torch.Tensor:
    """Correlates with kernels, float32 (k, length, length)."""
    return _rounded(correlated(images, kernel))


def holes(images: torch.Tensor, *, holes: torch.Tensor) -> torch.Tensor:
    """Blackens rectangles, int64 (k, count, 4): left, top, right and bottom."""
    count, _, height, width = images.shape
    edges = torch.zeros(count, height + 1, width + 1, dtype=torch.int32, device=images.device)
    image = torch.arange(count, device=images.device)[:, None]
    left, top, right, bottom = holes.unbind(dim=2)
    one = torch.ones_like(left, dtype=torch.int32)
    for rows, cols, sign in (
        (top, left, 1),
        (top, right, -1),
        (bottom, left, -1),
        (bottom, right, 1),
    ):
        edges.index_put_((image, rows, cols), sign * one, accumulate=True)
    inside = edges.cumsum(dim=1).cumsum(dim=2)[:, None, :height, :width] > 0
    return images.masked_fill(inside, 0)


def coarse(images: torch.Tensor, *, rows: torch.Tensor, cols: torch.Tensor) -> torch.Tensor:
    """Repeats pixels: which rows (k, height) and columns (k, width) are shown, int64."""
    return picked(images, rows, cols)


def hues(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Hues of images, in sixths of the circle times spread, with the spread and the top level.

    Returns:
        int32 (k, height, width) each.
    """
    red, green, blue = images.int().unbind(dim=1)
    top = images.amax(dim=1).int()
    spread = top - images.amin(dim=1).int()
    sixth = torch.where(
        top == red,
        green - blue,
        torch.where(top == green, blue - red + 2 * spread, red - green + 4 * spread),
    )
    return sixth, spread, top


def below_top(sixth: torch.Tensor) -> torch.Tensor:
    """How far below the top each colour of a hue is, as a share of the spread.

    Args:
        sixth: Hues in sixths of the circle, float32 (k, height, width).

    Returns:
        float32 (k, 3, height, width).
    """
    place = torch.stack([(sixth + first).remainder(6) for first in (5, 3, 1)], dim=1)
    return torch.minimum(place, 4 - place).clamp(0, 1)


def correlated(images: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """Correlates images with a kernel each, float32 (k, rows, cols), reflected at their borders."""
    count, channels, height, width = images.shape
    down, across = (side // 2 for side in kernel.shape[1:])
    images = images[..., reflected(height, down, images.device), :]
    images = images[..., reflected(width, across, images.device)].float()
    weight = (
        kernel[:, None, None].expand(-1, channels, -1, -1, -1).reshape(-1, 1, *kernel.shape[1:])
    )
    flat = images.reshape(1, count * channels, *images.shape[2:])
    return conv2d(flat, weight, groups=count * channels).view(count, channels, height, width)


def reflected(side: int, reach: int, device: torch.device) -> torch.Tensor:
    """Places of a side and ``reach`` beyond its ends, mirrored at the last pixels."""
    places = torch.arange(-reach, side + reach, device=device)
    period = max(1, 2 * (side - 1))
    return (side - 1) - (places.remainder(period) - (side - 1)).abs()


def _grey(images: torch.Tensor) -> torch.Tensor:
    """Grey levels (k, height, width), int32."""
    red, green, blue = (
        share * plane for share, plane in zip(GREY, images.int().unbind(1), strict=True)
    )
    return (red + green + blue + (1 << 14)) >> 15


def _rounded(values: torch.Tensor) -> torch.Tensor:
    return values.round().clamp(0, 255).to(torch.uint8)


def _blended(images: torch.Tensor, other: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    share = factor[:, None, None, None]
    return _rounded(share * images + (1 - share) * other)
