"""Focal loss."""

from __future__ import annotations

from collections.abc import Callable

import torch

from spaces.sections.loss import Focal
from spaces.trial_config import TrialConfig
from trainables.losses.pixels import mean, paired
from trainables.losses.smoothing import smoothed


def focal(config: TrialConfig) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Focal loss (Lin et al., Focal Loss for Dense Object Detection, ICCV 2017), multi-class.

    Each class's part of the cross entropy counts ``(1 - p) ** gamma`` times. Targets may be soft,
    as after mixing or label smoothing.
    """
    settings = config.loss
    assert isinstance(settings, Focal)

    def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        logits, targets = paired(logits, targets)
        logs = torch.log_softmax(logits.float(), dim=1)
        wanted = smoothed(targets, settings.label_smoothing)
        # Where an image is certain, a power below 1 would have an infinite slope.
        doubt = (-torch.expm1(logs)).clamp_min(torch.finfo(logs.dtype).eps)
        each = -(wanted * doubt**settings.gamma * logs).sum(dim=1)
        return mean(each, targets.sum(dim=1))

    return loss
