"""What augmenting whole batches costs: python -m tests.benchmarks.batched [runs]

Compares, for a light and a heavy policy, what one core needs per image to feed a training: with
albumentations, image by image (``augment_on=image``); and with whole batches
(``augment_on=batch``), of which the loading processes crop, resize and draw, and the device that
trains computes, here the same core. The sides take turns within a run, in processor seconds;
ratios are taken run by run.
"""

from __future__ import annotations

import statistics
import sys
import time

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from spaces.augmentation.policy import AugPolicy
from tests.benchmarks.machine import machine
from tests.benchmarks.policies import POLICIES, SIZES
from trainables.augment import Augmenter
from trainables.augment.batches import augmented
from trainables.augment.drawing import Drawing
from trainables.augment.rounds import rounds_of
from trainables.data.image_store import store_side

RUNS, IMAGES = 9, 64

CPU = torch.device("cpu")


def seconds(
    pictures: list[NDArray[np.uint8]], policy: AugPolicy, size: int, run: int
) -> tuple[float, float, float]:
    """Processor time per image: albumentations, a batch's drawing, and its computing."""
    of = policy, (size, size), 0, store_side(size)
    single, drawing = Augmenter(*of), Drawing(*of)
    begun = time.process_time()
    np.stack([single(picture, run, i)["image"] for i, picture in enumerate(pictures)])
    one = time.process_time()
    views = [drawing.drawn(picture, run, i) for i, picture in enumerate(pictures)]
    stacked = torch.from_numpy(np.stack([view["image"] for view, _ in views]))
    rounds = rounds_of([steps for _, steps in views])
    drawn = time.process_time()
    augmented(stacked, None, rounds, "black", CPU)
    spent = np.diff([begun, one, drawn, time.process_time()]) / len(pictures)
    return float(spent[0]), float(spent[1]), float(spent[2])


def main() -> None:
    """Prints a row per size and policy."""
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    print(machine("torch", "albumentations", "numpy", "opencv-python-headless"))
    print(f"{runs} runs of {IMAGES} images on each side; median (lowest to highest)")
    rng = np.random.default_rng(0)
    for size in SIZES:
        side = store_side(size)
        small = rng.integers(0, 256, (IMAGES, 12, 12, 3), dtype=np.uint8)
        pictures = [cv2.resize(picture, (side, side)).astype(np.uint8) for picture in small]
        for name in ("two stages", "TrivialAugment", "eleven by hand"):
            took = [seconds(pictures, POLICIES[name], size, run) for run in range(runs + 1)][1:]
            one, drawn, computed = (statistics.median(part) for part in zip(*took, strict=True))
            loaded = [single / drawing for single, drawing, _ in took]
            whole = [single / (drawing + rest) for single, drawing, rest in took]
            print(
                f"{size} px, {name}: {1 / one:,.0f} images/s image by image; batches draw "
                f"{1 / drawn:,.0f} and compute {1 / computed:,.0f}; drawing is {_ratio(loaded)} "
                f"as fast, both on one core {_ratio(whole)}"
            )


def _ratio(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
