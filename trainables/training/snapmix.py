"""SnapMix: patches of another image, and labels by how much of either's meaning is seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional

import trainables.portable.torchvision_cure  # noqa: F401 (has to come before timm)
from spaces.sections.mixing import Pairs
from spaces.trial_config import TrialConfig
from trainables.training.attention import attention

# isort: split
from timm.data.mixup import rand_bbox

Patch = tuple[slice, slice]
"""Rows and columns."""


def snapmix(
    config: TrialConfig, model: torch.nn.Module
) -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
    """SnapMix (Huang, Wang and Tao, AAAI 2021); it draws from numpy's global generator.

    A patch of each image is covered by a patch of its partner, of another size and place.
    """
    settings = config.mix
    assert isinstance(settings, Pairs)

    def mix(
        images: torch.Tensor, targets: torch.Tensor, boxes: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if np.random.rand() >= settings.mix_probability:
            return images, targets
        covered, shown = (_patch(images, settings.mix_alpha) for _ in range(2))
        return mixed(images, targets, attention(model, images, targets), covered, shown)

    return mix


def mixed(
    images: torch.Tensor, targets: torch.Tensor, maps: torch.Tensor, covered: Patch, shown: Patch
) -> tuple[torch.Tensor, torch.Tensor]:
    """Covers a patch of each image by a patch of the one as far from the end of the batch.

    An image counts for its own label by what its map has outside of the patch that is covered, and
    for its partner's by what the partner's map has in the patch that is shown; the two need not
    add up to 1.

    Args:
        images: float (n, 3, height, width).
        targets: float (n, classes).
        maps: float (n, height, width), each adding up to 1.
        covered: Of each image.
        shown: Of its partner; resized to what is covered.

    Returns:
        Images and targets of the same shapes; unchanged where a patch is empty.
    """
    size = _size(covered)
    if 0 in (*size, *_size(shown)):
        return images, targets
    patch = functional.interpolate(
        images.flip(0)[..., *shown], size, mode="bilinear", align_corners=False
    )
    result = images.clone()
    result[..., *covered] = patch
    kept = 1 - maps[:, *covered].sum(dim=(1, 2))
    got = maps.flip(0)[:, *shown].sum(dim=(1, 2))
    return result, kept[:, None] * targets + got[:, None] * targets.flip(0)


def _size(patch: Patch) -> tuple[int, int]:
    rows, columns = patch
    return int(rows.stop - rows.start), int(columns.stop - columns.start)


def _patch(images: torch.Tensor, alpha: float) -> Patch:
    top, bottom, left, right = map(int, rand_bbox(images.shape, np.random.beta(alpha, alpha)))
    return slice(top, bottom), slice(left, right)
