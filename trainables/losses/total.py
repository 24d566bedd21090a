"""A weighted sum of losses."""

from __future__ import annotations

from collections.abc import Callable

import torch

from spaces.sections.loss import ALONE, Sum
from spaces.trial_config import TrialConfig


def total(config: TrialConfig) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """The configuration's terms, each times its weight, added up."""
    from trainables.losses.losses import LOSSES

    settings = config.loss
    assert isinstance(settings, Sum)
    terms = []
    for name, weight in settings.weights.items():
        single = config.replace(loss=name, **ALONE)
        terms.append((weight, LOSSES.of(single.loss)(single)))

    def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return torch.stack([weight * of(logits, targets) for weight, of in terms]).sum()

    return loss
