"""What a network costs where it predicts: weights, their size, and time."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import torch

from spaces.trial_config import TrialConfig
from trainables.networks.networks import BuildModel
from trainables.portable.activations import outputs_apart
from trainables.training.device import MEMORY_FORMAT, Device

BATCH = 16
"""Images that are timed together."""

TIMES = 5
"""Batches, of which the median counts, after one that warms up."""


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """What a network costs.

    Attributes:
        parameters: Numbers that are learned.
        mb: Of its weights as they are stored, in MiB.
    """

    parameters: int
    mb: float

    @staticmethod
    def of(model: torch.nn.Module) -> Footprint:
        """Of a network, with or without its weights."""
        stored = sum(value.nbytes for value in model.state_dict().values())
        learned = sum(weight.numel() for weight in model.parameters())
        return Footprint(parameters=learned, mb=stored / 2**20)


@torch.inference_mode()
def ms_per_image(config: TrialConfig, classes: int, build: BuildModel, threads: int) -> float:
    """Milliseconds that a network takes for an image, in batches, on this machine.

    Args:
        config: The network and the size at which it predicts.
        classes: Number of classes.
        build: Builds it.
        threads: CPU threads.
    """
    torch.set_num_threads(threads)
    device = Device.pick(config)
    model = device.placed(build(config, classes))
    model.eval()
    images = torch.rand(BATCH, 3, *config.data.prediction_size, device=device.target)
    images = images.contiguous(memory_format=MEMORY_FORMAT)
    seconds = []
    for _ in range(1 + TIMES):
        begun = time.perf_counter()
        with device.autocast():
            outputs_apart(model(images))[0].sum().item()  # waits for a GPU
        seconds.append(time.perf_counter() - begun)
    return 1000 * statistics.median(seconds[1:]) / BATCH
