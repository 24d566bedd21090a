"""Macro F1 as a loss."""

from __future__ import annotations

from collections.abc import Callable

import torch

from spaces.sections.loss import SoftF1
from spaces.trial_config import TrialConfig
from trainables.losses.cross_entropy import entropy
from trainables.losses.pixels import paired


def soft_f1(config: TrialConfig) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Cross entropy and 1 - macro F1 of a batch, probabilities in place of counts, added up.

    F1 is the mean over the classes that the batch's targets hold; with few images of a class in a
    batch it is noisy, which is why cross entropy stays beside it.
    """
    settings = config.loss
    assert isinstance(settings, SoftF1)

    def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        logits, targets = paired(logits, targets)
        every = (0, *range(2, targets.ndim))
        weights = targets.sum(dim=1, keepdim=True)
        shares = torch.softmax(logits.float(), dim=1)
        here = targets.sum(dim=every)
        called = (shares * weights).sum(dim=every)
        scores = 2 * (shares * targets).sum(dim=every) / (called + here).clamp_min(1e-12)
        present = here > 0
        f1 = (scores * present).sum() / present.sum().clamp_min(1)
        beside = entropy(logits, targets, settings.label_smoothing)
        return settings.f1_share * (1 - f1) + (1 - settings.f1_share) * beside

    return loss
