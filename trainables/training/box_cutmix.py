"""CutMix inside of boxes: parts of what counts in an image, and labels by their share of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional

from spaces.sections.mixing import Pairs
from spaces.trial_config import TrialConfig

Part = tuple[float, float, float, float]
"""Left, top, right and bottom of a part of a box, as shares of its sides."""


def box_cutmix(
    config: TrialConfig, model: torch.nn.Module
) -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
    """CutMix (Yun et al., ICCV 2019) within boxes; it draws from numpy's global generator.

    The same part of all boxes of a batch: what lies there in the box of an image is covered by what
    lies there in its partner's, resized.
    """
    settings = config.mix
    assert isinstance(settings, Pairs)

    def mix(
        images: torch.Tensor, targets: torch.Tensor, boxes: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        assert boxes is not None
        if np.random.rand() >= settings.mix_probability:
            return images, targets
        return mixed(images, targets, boxes, _part(settings.mix_alpha))

    return mix


def mixed(
    images: torch.Tensor, targets: torch.Tensor, boxes: torch.Tensor, part: Part
) -> tuple[torch.Tensor, torch.Tensor]:
    """Covers a part of each image's box by that of the one as far from the end of the batch.

    Args:
        images: float (n, 3, height, width).
        targets: float (n, classes).
        boxes: Left, top, right and bottom in pixels, int64 (n, 4); an empty box is not mixed.
        part: Of every box.

    Returns:
        Images, and targets by the share of an image's own box that is covered; neither outside of
        boxes nor where nothing is left of a box is anything changed.
    """
    result, shares = images.clone(), []
    places = boxes.tolist()
    for row, (own, other) in enumerate(zip(places, reversed(places), strict=True)):
        covered, shown = _pixels(own, part), _pixels(other, part)
        area = _area(covered) if _area(shown) else 0
        if area:
            left, top, right, bottom = shown
            patch = images[len(places) - 1 - row, None, :, top:bottom, left:right]
            left, top, right, bottom = covered
            size = (bottom - top, right - left)
            result[row, :, top:bottom, left:right] = functional.interpolate(
                patch, size, mode="bilinear", align_corners=False
            )[0]
        shares.append(area / max(1, _area(own)))
    covers = torch.tensor(shares, dtype=targets.dtype, device=targets.device)[:, None]
    return result, (1 - covers) * targets + covers * targets.flip(0)


def _pixels(box: list[int], part: Part) -> list[int]:
    left, top, right, bottom = box
    across, along = right - left, bottom - top
    return [
        round(left + part[0] * across),
        round(top + part[1] * along),
        round(left + part[2] * across),
        round(top + part[3] * along),
    ]


def _area(box: list[int]) -> int:
    left, top, right, bottom = box
    return max(0, right - left) * max(0, bottom - top)


def _part(alpha: float) -> Part:
    """As CutMix draws it: a part of one proportion, around any place, cut off at the border."""
    half = float(np.sqrt(1 - np.random.beta(alpha, alpha))) / 2
    across, along = np.random.rand(2).tolist()
    return (
        max(0.0, across - half),
        max(0.0, along - half),
        min(1.0, across + half),
        min(1.0, along + half),
    )
