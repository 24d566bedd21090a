"""A network that is out of memory on a GPU with more than a few images at once."""

from __future__ import annotations

import torch

from spaces.trial_config import TrialConfig
from tests.tiny import build as tiny

FITTING = 16
"""Images of one pass that fit."""


class Greedy(torch.nn.Module):
    """Asks the GPU's allocator for 4 TiB when trained with more images than `FITTING`."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if images.is_cuda and self.training and len(images) > FITTING:
            torch.empty(2**42, dtype=torch.uint8, device=images.device)
        found: torch.Tensor = self.model(images)
        return found


def build(config: TrialConfig, classes: int) -> torch.nn.Module:
    """The network of `tests.tiny`, greedy."""
    return Greedy(tiny(config, classes))
