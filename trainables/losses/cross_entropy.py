"""Cross entropy."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional

from spaces.trial_config import TrialConfig
from trainables.losses.pixels import mean, paired
from trainables.losses.smoothing import smoothed


def cross_entropy(config: TrialConfig) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Cross entropy with the configuration's label smoothing, over soft targets."""
    share = config.loss.label_smoothing

    def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return entropy(logits, targets, share)

    return loss


def entropy(logits: torch.Tensor, targets: torch.Tensor, smoothing: float) -> torch.Tensor:
    """The mean cross entropy of images, or of pixels that count.

    Args:
        logits: float (n, classes) or (n, classes, h, w).
        targets: The same shape, or as of `trainables.losses.pixels.paired`.
        smoothing: Share of the targets that is spread over all classes.
    """
    logits, targets = paired(logits, targets)
    wanted = smoothed(targets, smoothing)
    if logits.ndim == 2:
        return functional.cross_entropy(logits, wanted)
    return mean(functional.cross_entropy(logits, wanted, reduction="none"), targets.sum(dim=1))
