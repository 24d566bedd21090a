"""What draws that belong to the image cost: python -m tests.benchmarks.policies [runs]

Compares a policy as trainings run it with the very same albumentations pipeline, reseeded for each
image (``A.Compose.set_random_seed``, which is how a user would get draws of the image) and never
seeded (which repeats draws in every loader process). The sides take turns within a run, in
processor seconds of one core; ratios are taken run by run.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import albumentations as A  # noqa: N812
import cv2
import numpy as np
from numpy.typing import NDArray

from spaces.augmentation.families import policy_of
from spaces.augmentation.policy import AugPolicy
from spaces.augmentation.trivial_augment import trivial_augment
from tests.benchmarks.machine import machine
from trainables.augment import Augmenter
from trainables.data.image_store import store_side

RUNS, IMAGES = 15, 64
SIZES = (64, 224)

STAGES = {
    "stage1.operation": "rotate",
    "stage1.probability": 0.5,
    "stage2.operation": "brightness",
    "stage2.probability": 0.5,
}

POLICIES: dict[str, AugPolicy] = {
    "none": AugPolicy(),
    "two stages": policy_of(STAGES),
    "TrivialAugment": trivial_augment(),
    "eleven by hand": policy_of({"policy": "subset"}),
}

Side = Callable[[NDArray[np.uint8], int], Any]


def sides(policy: AugPolicy, size: int) -> dict[str, Side]:
    """The three ways to run one pipeline."""
    ours = Augmenter(policy, (size, size), 0, store_side(size))
    compose = A.from_dict(ours.to_json()["pipeline"])

    def reseeded(picture: NDArray[np.uint8], index: int) -> Any:
        compose.set_random_seed(index)
        return compose(image=picture)

    return {
        "ours": lambda picture, index: ours(picture, 1, index),
        "reseeded": reseeded,
        "unseeded": lambda picture, index: compose(image=picture),
    }


def seconds(side: Side, pictures: NDArray[np.uint8], first: int) -> float:
    """Processor time for an image."""
    begun = time.process_time()
    for index, picture in enumerate(pictures):
        side(picture, first + index)
    return (time.process_time() - begun) / len(pictures)


def main() -> None:
    """Prints a row per policy and size."""
    cv2.setNumThreads(0)
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    print(machine("albumentations", "numpy", "opencv-python-headless"))
    print(f"{runs} runs of {IMAGES} images on each side; median (lowest to highest)")
    rng = np.random.default_rng(0)
    for size in SIZES:
        side = store_side(size)
        small = rng.integers(0, 256, (IMAGES, 12, 12, 3), dtype=np.uint8)
        pictures = np.stack([cv2.resize(picture, (side, side)) for picture in small])
        for name, policy in POLICIES.items():
            ways = sides(policy, size)
            took: dict[str, list[float]] = {way: [] for way in ways}
            for run in range(runs + 1):  # the first warms up
                order = list(ways)[run % 3 :] + list(ways)[: run % 3]
                for way in order:
                    spent = seconds(ways[way], pictures, run * IMAGES)
                    took[way] += [spent] if run else []
            print(f"{size} px, {name}: {_words(took)}")


def _words(took: dict[str, list[float]]) -> str:
    parts = [f"ours {1e6 * statistics.median(took['ours']):.0f} µs"]
    for way in ("reseeded", "unseeded"):
        ratios = [a / b for a, b in zip(took["ours"], took[way], strict=True)]
        parts.append(
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) of {way}, "
            f"{1e6 * statistics.median(took[way]):.0f} µs"
        )
    return "; ".join(parts)


if __name__ == "__main__":
    main()
