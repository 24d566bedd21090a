"""Label smoothing of targets that may be weighted."""

from __future__ import annotations

import torch


def smoothed(targets: torch.Tensor, share: float) -> torch.Tensor:
    """Spreads a share of every image's target over all classes (Szegedy et al., CVPR 2016).

    Args:
        targets: float (n, classes, …), rows that add up to the weights of images, or of pixels.
        share: In [0, 1).

    Returns:
        The same shape, rows that add up to the same.
    """
    if not share:
        return targets
    return targets * (1 - share) + share / targets.shape[1] * targets.sum(dim=1, keepdim=True)
