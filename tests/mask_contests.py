"""The contest of discs, with its masks written in every way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_tools

from results.masks.rle import Order, encode
from tests.discs import CLASSES, discs

COLOURS = {"ground": (0, 0, 0), "disc": (255, 0, 0), "bar": (0, 128, 255)}


def written(folder: Path, form: str, train: int = 8, test: int = 4) -> list[str]:
    """Writes the contest; returns the options that name its masks.

    Args:
        folder: Made here.
        form: ``numbers``, ``folder``, ``colours``, ``column``, ``row`` or ``coco``.
        train: Training images.
        test: Test images.
    """
    discs(folder, train, test)
    options = ["data=csv", f"data.root={folder}", "data.background=ground"]
    tables = ("train.csv", "solution.csv")
    if form in ("numbers", "folder"):
        mask = "mask" if form == "numbers" else "train_masks"
        return [*options, f"data.mask={mask}", "data.classes=[ground,disc,bar]"]
    if form == "colours":
        rows = [(name, *rgb) for name, rgb in COLOURS.items()]
        named = pd.DataFrame(rows, columns=["name", "red", "green", "blue"])
        named.to_csv(folder / "colours.csv", index=False)
        for table in tables:
            for name in pd.read_csv(folder / table)["mask"]:
                numbers = np.asarray(Image.open(folder / name))
                rgb = np.array(list(COLOURS.values()), np.uint8)[numbers]
                Image.fromarray(rgb).save(folder / name)
        return [*options, "data.mask=mask", "data.colours=colours.csv"]
    order: Order = "row" if form == "row" else "column"
    for table in tables:
        listed = pd.read_csv(folder / table)
        masks = [np.asarray(Image.open(folder / name)) for name in listed["mask"]]
        if form == "coco":
            _annotations(folder / Path(table).with_suffix(".json"), list(listed["image"]), masks)
            continue
        both = [
            listed.drop(columns="mask").assign(
                label=name, rle=[encode(mask == number, order) for mask in masks]
            )
            for number, name in enumerate(CLASSES)
            if number
        ]
        columns = ["image", "label", "rle", *listed.columns.drop(["image", "mask"])]
        pd.concat(both)[columns].to_csv(folder / table, index=False)
    if form == "coco":
        return [*options, "data.annotations=train.json"]
    order_of = ["data.classes=[ground,disc,bar]", f"data.run_lengths={order}"]
    return [*options, "data.mask=rle", *order_of]


def _annotations(path: Path, images: list[str], masks: list[NDArray[Any]]) -> None:
    found: list[dict[str, Any]] = []
    for row, mask in enumerate(masks):
        for number in (1, 2):
            if (mask == number).any():
                rle = coco_tools.encode(np.asfortranarray(mask == number, np.uint8))
                size = {"size": list(map(int, rle["size"])), "counts": rle["counts"].decode()}
                found.append(
                    {"id": len(found), "image_id": row, "category_id": number, "segmentation": size}
                )
    text = {
        "images": [
            {"id": row, "file_name": name, "height": mask.shape[0], "width": mask.shape[1]}
            for row, (name, mask) in enumerate(zip(images, masks, strict=True))
        ],
        "categories": [{"id": 1, "name": "disc"}, {"id": 2, "name": "bar"}],
        "annotations": found,
    }
    path.write_text(json.dumps(text))
