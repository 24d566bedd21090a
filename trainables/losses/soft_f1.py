"""Macro F1 as a loss."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional

from spaces.sections.loss import SoftF1
from spaces.trial_config import TrialConfig
from trainables.losses.smoothing import smoothed


def soft_f1(config: TrialConfig) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Cross entropy and 1 - macro F1 of a batch, probabilities in place of counts, added up.

    F1 is the mean over the classes that the batch's targets hold; with few images of a class in a
    batch it is noisy, which is why cross entropy stays beside it.
    """
    settings = config.loss
    assert isinstance(settings, SoftF1)

    def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        weights = targets.sum(dim=1, keepdim=True)
        shares = torch.softmax(logits.float(), dim=1)
        here = targets.sum(dim=0)
        scores = 2 * (shares * targets).sum(dim=0) / ((shares * weights).sum(dim=0) + here)
        present = here > 0
        f1 = (scores * present).sum() / present.sum()
        entropy = functional.cross_entropy(logits, smoothed(targets, settings.label_smoothing))
        return settings.f1_share * (1 - f1) + (1 - settings.f1_share) * entropy

    return loss
