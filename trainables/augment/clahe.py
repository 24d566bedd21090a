"""Local equalisation (CLAHE) of a whole batch: every image its own, in one call.

A pixel's lightness becomes another by the tables of the four tiles around it, as OpenCV does it
(Zuiderveld, Graphics Gems IV, 1994).
"""

from __future__ import annotations

import torch

from trainables.augment import lab
from trainables.augment.paints import reflected
from trainables.augment.transforms import TILES


def limit_of(clip: float, height: int, width: int) -> int:
    """Up to how many pixels of a lightness are counted in a tile, of an image of this size.

    Args:
        clip: How far a tile's histogram may exceed an even one.
        height: In pixels.
        width: In pixels.
    """
    rows, cols = _tile(height, width)
    return max(1, int(clip * rows * cols / 256))


def equalized(images: torch.Tensor, *, limit: torch.Tensor) -> torch.Tensor:
    """Equalises lightness tile by tile, and leaves colours.

    Args:
        images: uint8 (k, 3, height, width).
        limit: As of `limit_of`, int64 (k,).
    """
    light, a, b = lab.planes_of(images)
    height, width = light.shape[1:]
    rows, cols = _tile(height, width)
    tables = _tables(light, limit, rows, cols)
    above, below, down = _between(height, rows, light.device)
    left, right, across = _between(width, cols, light.device)
    first = TILES**2 * torch.arange(len(images), device=light.device)[:, None, None]

    def seen(row: torch.Tensor, col: torch.Tensor) -> torch.Tensor:
        tile = first + TILES * row[:, None] + col
        return tables.take(256 * tile + light)

    upper = seen(above, left) * (1 - across) + seen(above, right) * across
    lower = seen(below, left) * (1 - across) + seen(below, right) * across
    found = upper * (1 - down)[:, None] + lower * down[:, None]
    return lab.images_of(found.round().int(), a, b)


def _tile(height: int, width: int) -> tuple[int, int]:
    """Height and width of a tile; an image of which no whole ones can be made grows both ways."""
    if height % TILES == 0 and width % TILES == 0:
        return height // TILES, width // TILES
    return height // TILES + 1, width // TILES + 1


def _tables(light: torch.Tensor, limit: torch.Tensor, rows: int, cols: int) -> torch.Tensor:
    """What becomes of each lightness in each tile, float32 (k, TILES * TILES, 256)."""
    places = [
        reflected(side, TILES, light.device)[TILES:][: TILES * tile]
        for side, tile in zip(light.shape[1:], (rows, cols), strict=True)
    ]
    grown = light[:, places[0]][..., places[1]].reshape(-1, TILES, rows, TILES, cols)
    tiles = grown.transpose(2, 3).reshape(-1, rows * cols)
    first = 256 * torch.arange(len(tiles), device=light.device)[:, None]
    counts = torch.bincount((tiles + first).flatten(), minlength=256 * len(tiles))
    counts = counts.view(len(light), TILES**2, 256)
    most = limit[:, None, None]
    over = (counts - most).clamp(min=0).sum(dim=2, keepdim=True)
    steps = torch.arange(256, device=light.device)
    rest = over % 256
    apart = 256 // rest.clamp(min=1)
    more = (steps % apart == 0) & (steps // apart < rest)
    counts = torch.minimum(counts, most) + over // 256 + more
    return (counts.cumsum(dim=2).float() * (255 / (rows * cols))).round().clamp(max=255)


def _between(
    side: int, tile: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """For each pixel of a side the tiles whose middles it lies between, and the second's share."""
    place = torch.arange(side, device=device, dtype=torch.float32) * (1 / tile) - 0.5
    before = place.floor()
    first, second = before.clamp(min=0).long(), (before + 1).clamp(max=TILES - 1).long()
    return first, second, place - before
