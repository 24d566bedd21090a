"""Training steps on a GPU by precision and memory layout: python -m tests.benchmarks.precision

Forward, backward and AdamW on images of noise, in fp32, TF32, fp16 and bf16, channels last and as
torch lays out by default, and with convolutions chosen by trying them out (``cudnn.benchmark``).
All take turns; seconds are of the wall, with the GPU waited for. Prints images per second, median
and range over the runs, as ratios to fp32 in the default layout.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import torch

import trainables.portable.torchvision_cure  # noqa: F401 (has to come before timm)
from tests.benchmarks.machine import machine

# isort: split
import timm

RUNS, STEPS = 5, 10
NETWORKS = (
    ("test_resnet", 64, 64),
    ("resnet18", 64, 64),
    ("resnet50", 224, 64),
    ("efficientnet_b0", 224, 64),
    ("convnext_tiny", 224, 64),
    ("vit_small_patch16_224", 224, 64),
)
"""Backbone, side of the images in pixels, and images per step."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """How steps are computed."""

    layout: torch.memory_format
    precision: str
    tried: bool = False
    fused: bool = False

    @property
    def words(self) -> str:
        last = self.layout is torch.channels_last
        parts = [self.precision, "channels last" if last else "default layout"]
        return ", ".join([*parts, *["tried out"] * self.tried, *["fused AdamW"] * self.fused])


LAST, FIRST = torch.channels_last, torch.contiguous_format
SIDES = (
    Side(layout=FIRST, precision="fp32"),
    Side(layout=FIRST, precision="tf32"),
    Side(layout=LAST, precision="tf32"),
    Side(layout=LAST, precision="fp16"),
    Side(layout=FIRST, precision="bf16"),
    Side(layout=LAST, precision="bf16"),
    Side(layout=LAST, precision="bf16", tried=True),
    Side(layout=LAST, precision="bf16", fused=True),
)
TYPES = {"fp16": torch.float16, "bf16": torch.bfloat16}


class Training:
    """A network in training on one batch of noise."""

    def __init__(self, backbone: str, side: int, images: int, how: Side) -> None:
        torch.manual_seed(0)
        self.how = how
        model = timm.create_model(backbone, num_classes=10).cuda().train()
        self.model = model.to(memory_format=how.layout)
        pictures = torch.randn(images, 3, side, side, device="cuda")
        self.pictures = pictures.contiguous(memory_format=how.layout)
        self.labels = torch.randint(0, 10, (images,), device="cuda")
        self.optimizer = torch.optim.AdamW(self.model.parameters(), 1e-4, fused=how.fused or None)
        self.scaler = torch.amp.GradScaler("cuda", enabled=how.precision == "fp16")

    def images_per_second(self) -> float:
        """Of `STEPS` steps."""
        torch.backends.cuda.matmul.allow_tf32 = self.how.precision != "fp32"
        torch.backends.cudnn.allow_tf32 = self.how.precision != "fp32"
        torch.backends.cudnn.benchmark = self.how.tried
        half = TYPES.get(self.how.precision)
        torch.cuda.synchronize()
        begun = time.perf_counter()
        for _ in range(STEPS):
            with torch.autocast("cuda", half, enabled=half is not None):
                outputs = self.model(self.pictures)
                loss = torch.nn.functional.cross_entropy(outputs, self.labels)
            self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            self.scaler.step(self.optimizer)
            self.scaler.update()
            self.optimizer.zero_grad(set_to_none=True)
        torch.cuda.synchronize()
        return STEPS * len(self.labels) / (time.perf_counter() - begun)


def main() -> None:
    """Prints a line per network and side."""
    print(f"{torch.cuda.get_device_name()}; {machine('torch', 'timm')}")
    for backbone, side, images in NETWORKS:
        trainings = [Training(backbone, side, images, how) for how in SIDES]
        runs = [[each.images_per_second() for each in trainings] for _ in range(RUNS + 1)][1:]
        for number, how in enumerate(SIDES):
            rates = [run[number] for run in runs]
            ratios = [run[number] / run[0] for run in runs]
            print(
                f"{backbone}, {side} px, {images} images, {how.words}: "
                f"{statistics.median(rates):,.0f} images/s, {statistics.median(ratios):.2f} "
                f"({min(ratios):.2f} to {max(ratios):.2f})",
                flush=True,
            )
        del trainings
        torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
