"""Cross entropy that counts pixels beside boundaries more."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional

from spaces.sections.loss import Boundary
from spaces.trial_config import TrialConfig
from trainables.losses.pixels import paired
from trainables.losses.smoothing import smoothed


def boundary(config: TrialConfig) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Cross entropy of masks, pixels near a boundary weighted (Ronneberger et al., MICCAI 2015).

    Near is what has pixels of two classes in the square around it; what is not known makes no
    boundary. The weights are those of a mean: its size does not depend on how long boundaries are.
    """
    settings = config.loss
    assert isinstance(settings, Boundary)
    reach, more = settings.boundary_width, settings.boundary_weight - 1

    def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        logits, targets = paired(logits, targets)
        weights = targets.sum(dim=1)
        clear = ((2 * targets > weights[:, None]) & (weights[:, None] > 0)).float()
        around = functional.max_pool2d(clear, 2 * reach + 1, stride=1, padding=reach)
        counted = (1 + more * (around.sum(dim=1) > 1)) * (weights > 0)
        wanted = smoothed(targets, settings.label_smoothing)
        each = functional.cross_entropy(logits, wanted, reduction="none")
        return (counted * each).sum() / counted.sum().clamp_min(1)

    return loss
