"""How long a network takes for images in views."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch

from spaces.trial_config import TrialConfig
from trainables.inference.predict import predict_pictures
from trainables.portable.preparation import Picture
from trainables.tasks.task import TrainingTask
from trainables.training.device import Device

TIMES = 5
"""How often images are predicted in each view, of which the quickest counts: whatever else a
machine does only adds."""

ENOUGH = 60.0
"""Seconds after which they are not predicted again: what takes so long has little noise."""


def view_seconds(
    model: torch.nn.Module,
    config: TrialConfig,
    pictures: Sequence[Picture],
    views: Sequence[str],
    device: Device,
    task: TrainingTask,
) -> dict[str, float]:
    """Seconds per image in each view, empty for images as they are.

    Views take turns, so that a machine whose speed drifts is as fast for one as for another.

    Args:
        model: The network.
        config: How it sees images.
        pictures: Some, as they are stored.
        views: Names of views.
        device: Where to compute.
        task: What the outputs mean.
    """
    found: dict[str, float] = {}
    begun = time.perf_counter()
    for _ in range(TIMES):
        for view in views:
            before = time.perf_counter()
            predict_pictures(model, config, pictures, device, task, view)
            taken = (time.perf_counter() - before) / len(pictures)
            found[view] = min(taken, found.get(view, taken))
        if time.perf_counter() - begun > ENOUGH:
            break
    return found
