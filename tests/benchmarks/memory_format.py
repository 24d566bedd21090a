"""Training steps with images and convolutions laid out channels last, and as torch does by default.

    python -m tests.benchmarks.memory_format

Forward, backward and AdamW on one core, interleaved; seconds of CPU, so that other work on the
machine counts little. Prints images per second of both and their ratio, median and range over the
runs.
"""

from __future__ import annotations

import statistics
import time

import torch

import trainables.portable.torchvision_cure  # noqa: F401 (has to come before timm)
from tests.benchmarks.machine import machine
from trainables.training.device import MEMORY_FORMAT

# isort: split
import timm

RUNS = 5
STEPS = 3
NETWORKS = (
    ("test_resnet", 32, 32),
    ("test_resnet", 64, 64),
    ("resnet18", 64, 64),
    ("resnet10t", 96, 64),
    ("mobilenetv3_small_050", 96, 64),
    ("efficientnet_b0", 64, 32),
    ("convnext_atto", 64, 32),
    ("test_vit", 64, 64),
)
"""Backbone, side of the images in pixels, and images per step."""


class Training:
    """A network in training on one batch of noise."""

    def __init__(self, backbone: str, side: int, images: int, layout: torch.memory_format) -> None:
        torch.manual_seed(0)
        fixed = timm.get_pretrained_cfg_value(backbone, "fixed_input_size")
        model = timm.create_model(backbone, num_classes=10, **({"img_size": side} if fixed else {}))
        self.model = model.train().to(memory_format=layout)
        self.pictures = torch.randn(images, 3, side, side).contiguous(memory_format=layout)
        self.labels = torch.randint(0, 10, (images,))
        self.optimizer = torch.optim.AdamW(self.model.parameters(), 1e-4)

    def images_per_second(self) -> float:
        """Of `STEPS` steps, by CPU time."""
        begun = time.process_time()
        for _ in range(STEPS):
            loss = torch.nn.functional.cross_entropy(self.model(self.pictures), self.labels)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
        return STEPS * len(self.labels) / (time.process_time() - begun)


def main() -> None:
    """Prints a row per network."""
    torch.set_num_threads(1)
    print(f"{torch.backends.cpu.get_cpu_capability()}, {RUNS} runs; {machine('torch', 'timm')}")
    for backbone, side, images in NETWORKS:
        ours = Training(backbone, side, images, MEMORY_FORMAT)
        default = Training(backbone, side, images, torch.contiguous_format)
        pairs = [(ours.images_per_second(), default.images_per_second()) for _ in range(RUNS + 1)]
        pairs = pairs[1:]  # the first warms up
        ratios = [a / b for a, b in pairs]
        print(
            f"{backbone} at {side} px: {statistics.median(a for a, _ in pairs):,.0f} against "
            f"{statistics.median(b for _, b in pairs):,.0f} images/s; ratio "
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
