"""How fast images are fed: python -m tests.benchmarks.feed [folder with train.csv]

Compares one core's images per second of our loader (stored pixels, albumentations with draws that
belong to the image) with what a user would write instead: a Dataset that decodes each file with
OpenCV and runs the same albumentations pipeline, seeded once. Both load in this process, in turn;
the ratio is taken pair by pair.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import albumentations as A  # noqa: N812
import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from spaces.augmentation.policy import AugPolicy
from spaces.augmentation.trivial_augment import trivial_augment
from spaces.trial_config import TrialConfig
from trainables.augment import Augmenter
from trainables.data.contest import Contest, load_contest
from trainables.data.digits import make_digits
from trainables.data.image_store import store_side
from trainables.data.loader import TrainingLoader
from trainables.data.store_building import build_store
from trainables.data.training_set import TrainingSet
from trainables.portable.preparation import Preparation

RUNS, IMAGES = 7, 1024


class Plain(Dataset[Any]):
    """Decode, augment, return: one image at a time."""

    def __init__(self, contest: Contest, pipeline: Any) -> None:
        self.contest, self.pipeline = contest, pipeline

    def __len__(self) -> int:
        return IMAGES

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        row = index % len(self.contest.train_images)
        picture = cv2.cvtColor(cv2.imread(str(self.contest.paths[row])), cv2.COLOR_BGR2RGB)
        view = self.pipeline(image=picture)["image"]
        return torch.from_numpy(view), int(self.contest.labels[row])


def seconds(batches: Any) -> float:
    """Time for `IMAGES` images."""
    begun, seen = time.perf_counter(), 0
    for pictures, *_ in batches:
        seen += len(pictures)
        if seen >= IMAGES:
            break
    return (time.perf_counter() - begun) * IMAGES / seen


def main() -> None:
    """Prints a row per policy."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(sys.argv[1]) if len(sys.argv) > 1 else make_digits(Path(scratch) / "digits")
        contest = load_contest(name="bench", root=root)
        size = (64, 64) if len(sys.argv) > 1 else (32, 32)
        side = store_side(size[0])
        store = build_store(contest, Preparation(side=side), Path(scratch) / "store")
        rows = np.resize(np.arange(len(contest.train_images)), IMAGES)
        print(f"{root.name}, {size[0]} px, {RUNS} runs of {IMAGES} images, one core")
        for name, policy in {"none": AugPolicy(), "TrivialAugment": trivial_augment()}.items():
            config = TrialConfig.of(size=size, store_side=side, policy=policy, batch=64)
            pipeline = A.from_dict(Augmenter(policy, size, 0, side).to_json()["pipeline"])
            targets = np.eye(len(contest.classes), dtype=np.float32)[contest.labels]
            learned = TrainingSet(rows=rows, targets=targets, strata=contest.labels)
            ours = TrainingLoader(config, store, learned, 0)
            plain = DataLoader(Plain(contest, pipeline), batch_size=64, shuffle=True)
            pairs = []
            for run in range(RUNS + 1):
                pair = (seconds(plain), seconds(ours.epoch(run + 1)))
                pairs += [pair] if run else []  # the first warms up
            ratios = [p / o for p, o in pairs]
            print(
                f"{name}: ours {IMAGES / statistics.median(o for _, o in pairs):,.0f} images/s, "
                f"plain {IMAGES / statistics.median(p for p, _ in pairs):,.0f} images/s; ratio "
                f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            )


if __name__ == "__main__":
    main()
