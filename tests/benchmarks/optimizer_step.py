"""Steps of fused optimizers against torch's defaults: python -m tests.benchmarks.optimizer_step

Forward, backward and step on one core, interleaved; seconds of CPU. Prints what the optimizer takes
both ways and the ratio of whole steps, median and range over the runs.
"""

from __future__ import annotations

import statistics
import time

import torch

import trainables.portable.torchvision_cure  # noqa: F401 (has to come before timm)
from spaces.trial_config import TrialConfig
from tests.benchmarks.machine import machine
from trainables.training.device import MEMORY_FORMAT
from trainables.training.optimizers import OPTIMIZERS

# isort: split
import timm

RUNS, STEPS = 7, 5
CASES = (("adamw", 32, 32), ("adamw", 64, 64), ("sgd", 32, 32))
"""Optimizer, side of the images in pixels, and images per step; of test_resnet."""


class Training:
    """A network in training on one batch of noise."""

    def __init__(self, kind: str, side: int, images: int, fused: bool) -> None:
        torch.manual_seed(0)
        self.model = timm.create_model("test_resnet", num_classes=10).train()
        self.model.to(memory_format=MEMORY_FORMAT)
        self.pictures = torch.randn(images, 3, side, side).contiguous(memory_format=MEMORY_FORMAT)
        self.labels = torch.randint(0, 10, (images,))
        config = TrialConfig.of(optimizer=kind)
        self.optimizer = OPTIMIZERS.of(config.optimizer)(config, self.model)
        for group in self.optimizer.param_groups:
            assert group["fused"]
            group["fused"] = fused

    def milliseconds(self) -> tuple[float, float]:
        """Of a step in all, and of the optimizer."""
        whole = stepped = 0.0
        for _ in range(STEPS):
            begun = time.process_time()
            loss = torch.nn.functional.cross_entropy(self.model(self.pictures), self.labels)
            loss.backward()  # type: ignore[no-untyped-call]
            computed = time.process_time()
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            done = time.process_time()
            whole, stepped = whole + done - begun, stepped + done - computed
        return 1000 * whole / STEPS, 1000 * stepped / STEPS


def main() -> None:
    """Prints a row per case."""
    torch.set_num_threads(1)
    print(f"{RUNS} runs of {STEPS} steps; {machine('torch', 'timm')}")
    for kind, side, images in CASES:
        sides = [Training(kind, side, images, fused) for fused in (True, False)]
        pairs = [[one.milliseconds() for one in sides] for _ in range(RUNS + 1)][1:]
        ratios = [default[0] / ours[0] for ours, default in pairs]
        ours, default = (statistics.median(p[i][1] for p in pairs) for i in range(2))
        print(
            f"{kind}, {images} images of {side} px: the optimizer {ours:.1f} against {default:.1f} "
            f"ms; steps in all {statistics.median(ratios):.2f} times as fast "
            f"({min(ratios):.2f} to {max(ratios):.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
