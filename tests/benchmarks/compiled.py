"""What torch.compile gains a training: python -m tests.benchmarks.compiled

Forward and backward of a network compiled by torch.compile, with its defaults, against the network
as it is, both channels last, with AdamW, on one thread: seconds of the first steps, in which it
compiles, images per second after them, by turns, and after how many steps the compiling is paid
for. Nothing that an earlier run has compiled is used.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time

import torch

from tests.benchmarks.machine import machine
from tests.benchmarks.memory_format import STEPS, Training
from trainables.training.device import MEMORY_FORMAT

RUNS = 7
NETWORKS = (("test_resnet", 64, 32), ("resnet18", 64, 32), ("efficientnet_b0", 64, 32))
"""Backbone, side of the images in pixels, and images per step."""


def main() -> None:
    """Prints a row per network."""
    torch.set_num_threads(1)
    print(f"{torch.backends.cpu.get_cpu_capability()}, {RUNS} runs; {machine('torch', 'timm')}")
    for backbone, side, images in NETWORKS:
        plain, compiled = (Training(backbone, side, images, MEMORY_FORMAT) for _ in range(2))
        compiled.model.compile()
        plain.images_per_second()
        begun = time.perf_counter()
        compiled.images_per_second()
        first = time.perf_counter() - begun
        pairs = [(compiled.images_per_second(), plain.images_per_second()) for _ in range(RUNS)]
        ratios = [a / b for a, b in pairs]
        fast, slow = (statistics.median(rates) for rates in zip(*pairs, strict=True))
        paid = (first - STEPS * images / fast) / (images / slow - images / fast)
        told = f"after {paid:,.0f} steps" if paid > 0 else "never"
        print(
            f"{backbone} at {side} px: {STEPS} first steps {first:.0f} s, then {fast:,.0f} against "
            f"{slow:,.0f} images/s; ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to "
            f"{max(ratios):.2f}); paid for {told}",
            flush=True,
        )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache
        main()
