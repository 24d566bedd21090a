"""A contest of masks whose classes overlap: discs, bars that may cross them, and empty images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pycocotools import mask as coco_tools

from results.masks.rle import encode

CLASSES = ("bar", "disc")
SIZES = ((48, 64), (40, 56))
RUN_LENGTHS = (
    "data.overlapping=true",
    "data.mask=rle",
    "data.run_lengths=column",
    "data.group=sequence",
)
ANNOTATIONS = ("data.overlapping=true", "data.annotations=train.json", "data.train=images.csv")


def overlaps(folder: Path, train: int = 24, test: int = 8, seed: int = 0) -> dict[str, Any]:
    """Writes the contest as run lengths and as COCO files.

    ``train.csv`` (image, label, rle, sequence), ``test.csv`` and ``solution.csv`` of PNG files of
    two sizes in sequences of four; ``train.json`` with ``images.csv`` (image, sequence), and
    ``solution.json`` say the same.

    Returns:
        Masks by image, uint8 (height, width, classes) of 0 and 1.
    """
    rng = np.random.default_rng(seed)
    masks: dict[str, NDArray[np.uint8]] = {}
    for part, count in (("train", train), ("test", test)):
        (folder / part).mkdir(parents=True)
        rows = []
        for number in range(count):
            height, width = SIZES[number // 4 % 2]
            picture = np.full((height, width, 3), rng.integers(60, 110, 3), np.uint8)
            planes = [np.zeros((height, width), np.uint8) for _ in CLASSES]
            if number % 8 != 7:  # every eighth image is empty
                centre = (int(rng.integers(16, width - 16)), height // 2)
                cv2.circle(planes[1], centre, int(rng.integers(8, 14)), 1, -1)
                planes[0][height // 2 - 3 : height // 2 + 4] = 1
                picture[..., 0][planes[1] > 0] = 220
                picture[..., 1][planes[0] > 0] = 220
            picture = np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8)
            name = f"{part}/{number:03d}.png"
            cv2.imwrite(str(folder / name), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
            masks[name] = np.stack(planes, axis=2)
            rows += [
                (name, label, encode(plane, "column"), f"s{number // 4:02d}")
                for label, plane in zip(CLASSES, planes, strict=True)
            ]
        table = pd.DataFrame(rows, columns=["image", "label", "rle", "sequence"])
        file = "train.csv" if part == "train" else "solution.csv"
        table.to_csv(folder / file, index=False)
        images = table[["image", "sequence"]].drop_duplicates()
        images.to_csv(folder / ("images.csv" if part == "train" else "test.csv"), index=False)
        _annotations((folder / file).with_suffix(".json"), images["image"].tolist(), masks)
    return masks


def _annotations(path: Path, images: list[str], masks: dict[str, NDArray[np.uint8]]) -> None:
    found: list[dict[str, Any]] = []
    for row, name in enumerate(images):
        for number, plane in enumerate(np.moveaxis(masks[name], 2, 0)):
            if plane.any():
                rle = coco_tools.encode(np.asfortranarray(plane))
                size = {"size": list(map(int, rle["size"])), "counts": rle["counts"].decode()}
                added = {"image_id": 100 + row, "category_id": 7 + number, "segmentation": size}
                found.append({"id": len(found), **added})
    text = {
        "images": [
            {"id": 100 + row, "file_name": name, "height": len(m), "width": len(m[0])}
            for row, (name, m) in enumerate((name, masks[name]) for name in images)
        ],
        "categories": [{"id": 7 + number, "name": name} for number, name in enumerate(CLASSES)],
        "annotations": found,
    }
    path.write_text(json.dumps(text))
