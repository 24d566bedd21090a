"""A network of a few thousand weights, that may note which GPUs it was given."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from spaces.trial_config import TrialConfig


def build(config: TrialConfig, classes: int) -> torch.nn.Module:
    """A linear model of 8 x 8 pixels."""
    seen = os.environ.get("GPUS_SEEN")
    if seen:
        words = (
            str(config.run.seed),
            os.environ.get("CUDA_VISIBLE_DEVICES", "none"),
            os.uname()[1],
        )
        with (Path(seen) / str(os.getpid())).open("a") as file:
            file.write(" ".join(words) + "\n")
    return torch.nn.Sequential(
        torch.nn.AdaptiveAvgPool2d(8), torch.nn.Flatten(), torch.nn.Linear(192, classes)
    )
