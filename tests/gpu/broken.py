"""A network that breaks its process's GPU context once, as an index out of range does."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from spaces.trial_config import TrialConfig
from tests.tiny import build as tiny


class Breaks(torch.nn.Module):
    """Its first pass on a GPU, of all processes', reads beside a table."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        broken = Path(os.environ["BROKEN_ONCE"])
        if images.is_cuda and not broken.exists():
            broken.touch()
            torch.zeros(4, device=images.device)[torch.full((1,), 9, device=images.device)]
            torch.cuda.synchronize()
        found: torch.Tensor = self.model(images)
        return found


def build(config: TrialConfig, classes: int) -> torch.nn.Module:
    """The network of `tests.tiny`, broken once."""
    return Breaks(tiny(config, classes))
