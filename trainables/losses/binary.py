"""Binary cross entropy of every class."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional

from spaces.trial_config import TrialConfig
from trainables.losses.pixels import mean, paired
from trainables.losses.smoothing import smoothed


def binary(config: TrialConfig) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Every class against all others (Wightman et al., ResNet strikes back, 2021).

    Targets may be soft. The sum over classes, so that its size is that of cross entropy whatever
    their number. Predicted are the softmax's probabilities, as with every loss.
    """
    share = config.loss.label_smoothing

    def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        logits, targets = paired(logits, targets)
        wanted, weights = smoothed(targets, share), targets.sum(dim=1, keepdim=True)
        positive, negative = (
            functional.logsigmoid(logits.float()),
            functional.logsigmoid(-logits.float()),
        )
        each = -(wanted * positive + (weights - wanted) * negative)
        return mean(each.sum(dim=1), weights[:, 0])

    return loss
