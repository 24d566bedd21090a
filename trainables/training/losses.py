"""Losses over soft targets, so that mixing, smoothing and plain labels share one path."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional

from spaces.trial_config import TrialConfig

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""From logits (n, classes) and target probabilities (n, classes) to a scalar."""

BuildLoss = Callable[[TrialConfig], Loss]


def build_loss(config: TrialConfig) -> Loss:
    """Cross entropy with the configuration's label smoothing."""

    def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(logits, targets, label_smoothing=config.label_smoothing)

    return loss
