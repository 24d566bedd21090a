"""A contest of masks that trains in seconds: discs and bars on a background, in short sequences."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

CLASSES = ("ground", "disc", "bar")
SIZES = ((48, 64), (40, 56))


def discs(folder: Path, train: int = 32, test: int = 8, seed: int = 0) -> Path:
    """Writes ``train.csv`` (image, mask, sequence), ``test.csv``, ``solution.csv`` and PNG files.

    Images are of two sizes, in sequences of four.
    """
    rng = np.random.default_rng(seed)
    rows: dict[str, list[tuple[str, str, str]]] = {"train": [], "test": []}
    for part, count in (("train", train), ("test", test)):
        for kind in ("", "_masks"):
            (folder / f"{part}{kind}").mkdir(parents=True)
        for number in range(count):
            height, width = SIZES[number // 4 % 2]
            picture = np.full((height, width, 3), rng.integers(60, 110, 3), np.uint8)
            mask = np.zeros((height, width), np.uint8)
            if number % 8 != 7:  # every eighth image is empty
                centre = (int(rng.integers(12, width - 12)), int(rng.integers(12, height - 12)))
                radius = int(rng.integers(6, 12))
                cv2.circle(picture, centre, radius, (200, 60, 60), -1)
                cv2.circle(mask, centre, radius, 1, -1)
                row = int(rng.integers(4, height - 8))
                picture[row : row + 4], mask[row : row + 4] = (60, 200, 60), 2
            noise = rng.normal(0, 8, picture.shape)
            picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
            names = (f"{part}/{number:03d}.png", f"{part}_masks/{number:03d}.png")
            cv2.imwrite(str(folder / names[0]), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
            cv2.imwrite(str(folder / names[1]), mask)
            rows[part].append((*names, f"s{number // 4:02d}"))
    table = pd.DataFrame(rows["train"], columns=["image", "mask", "sequence"])
    table.to_csv(folder / "train.csv", index=False)
    tests = pd.DataFrame(rows["test"], columns=["image", "mask", "sequence"])
    tests[["image"]].to_csv(folder / "test.csv", index=False)
    tests[["image", "mask"]].to_csv(folder / "solution.csv", index=False)
    return folder
