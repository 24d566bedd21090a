"""Geometry of a whole batch: every image its own, in one call."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch.nn.functional import grid_sample

from results.masks.counts import VOID
from trainables.augment.transforms import BORDERS


class Border(NamedTuple):
    """What geometry shows beyond an image.

    Attributes:
        padding: Torch's name of it: ``zeros`` is a colour.
        colour: The colour by channel, float32 (channels, 1, 1).
        mode: How pixels are interpolated.
    """

    padding: Literal["zeros", "reflection", "border"]
    colour: torch.Tensor
    mode: Literal["bilinear", "nearest"] = "bilinear"

    @staticmethod
    def of(fill: str, device: torch.device) -> tuple[Border, Border]:
        """Those of pictures and of masks, by the name of a filling."""
        padding = {"reflect": "reflection", "nearest": "border"}.get(fill, "zeros")
        colour = torch.tensor(BORDERS.get(fill, (0, (0, 0, 0)))[1], device=device)
        void = torch.full((1, 1, 1), float(VOID), device=device)
        pictures = Border(padding, colour.float()[:, None, None])  # type: ignore[arg-type]
        return pictures, Border(padding, void, "nearest")  # type: ignore[arg-type]


def warp(
    planes: torch.Tensor,
    border: Border,
    *,
    matrix: torch.Tensor,
    xs: torch.Tensor,
    ys: torch.Tensor,
) -> torch.Tensor:
    """Affine and projective maps, and grids, in one sampling.

    Args:
        planes: uint8 (k, channels, height, width).
        border: What is beyond them.
        matrix: float32 (k, 3, 3), from places of the result to places of the image.
        xs: Places of its columns, float32 (k, width).
        ys: The same of its rows, float32 (k, height).
    """
    places = [
        (row[:, 0, None, None] * xs[:, None, :] + row[:, 1, None, None] * ys[:, :, None])
        + row[:, 2, None, None]
        for row in matrix.unbind(dim=1)
    ]
    return displace(planes, border, x=places[0] / places[2], y=places[1] / places[2])


def displace(
    planes: torch.Tensor, border: Border, *, x: torch.Tensor, y: torch.Tensor
) -> torch.Tensor:
    """Shows at every pixel what is at some place of the image.

    Args:
        planes: uint8 (k, channels, height, width).
        border: What is beyond them.
        x: Columns of the places, float32 (k, height, width).
        y: Rows of the places, alike.
    """
    height, width = planes.shape[-2:]
    places = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], dim=-1)
    colour = border.colour if border.padding == "zeros" else torch.zeros_like(border.colour)
    moved = grid_sample(
        planes - colour,
        places,
        mode=border.mode,
        padding_mode=border.padding,
        align_corners=True,
    )
    return (moved + colour).round().to(torch.uint8)


def turn(
    planes: torch.Tensor,
    border: Border,
    *,
    swap: torch.Tensor,
    down: torch.Tensor,
    across: torch.Tensor,
) -> torch.Tensor:
    """Mirror images and quarter turns.

    Args:
        planes: uint8 (k, channels, height, width).
        border: Of no effect.
        swap: Whether rows and columns change places, bool (k,).
        down: Whether the result's rows are counted from the bottom, bool (k,).
        across: Whether its columns are counted from the right, bool (k,).
    """
    height, width = planes.shape[-2:]
    rows = torch.arange(height, device=planes.device)
    cols = torch.arange(width, device=planes.device)
    rows = torch.where(down[:, None], height - 1 - rows, rows)[:, :, None]
    cols = torch.where(across[:, None], width - 1 - cols, cols)[:, None, :]
    places = torch.where(swap[:, None, None], cols * width + rows, rows * width + cols)
    return _picked(planes, places)


def picked(planes: torch.Tensor, rows: torch.Tensor, cols: torch.Tensor) -> torch.Tensor:
    """Pixels of given rows (k, height) and columns (k, width), int64."""
    return _picked(planes, rows[:, :, None] * planes.shape[-1] + cols[:, None, :])


def _picked(planes: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    index = places.flatten(1)[:, None].expand(-1, planes.shape[1], -1)
    return planes.flatten(2).gather(2, index).view_as(planes)
