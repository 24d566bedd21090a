"""Cross entropy."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional

from spaces.trial_config import TrialConfig
from trainables.losses.smoothing import smoothed


def cross_entropy(config: TrialConfig) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Cross entropy with the configuration's label smoothing, over soft targets."""
    share = config.loss.label_smoothing

    def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(logits, smoothed(targets, share))

    return loss
