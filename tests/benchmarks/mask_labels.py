"""Wrong masks that are known: python -m tests.benchmarks.mask_labels [folds] [fix.…=… …]

A tenth of the masks of the embedded scenes is wrong: all outlines a pixel or two off, or a shape
forgotten. The baseline is trained on folds of whole sequences, and `search.labels` looks for
suspects: how many of these are wrong (precision), and how many of the wrong ones are among them
(recall). Outlines that are off are below what it looks for, so both kinds are told apart.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

from tests.benchmarks.command import run
from tests.benchmarks.machine import machine
from trainables.data import shapes
from trainables.data.scenes import Pixels, Shape, mask_of

OFF, FORGOTTEN = "outlines off", "a shape forgotten"


def wrong_masks(images: int) -> dict[int, str]:
    """What is wrong with masks, by the number of the image, as they are drawn."""
    found: dict[int, str] = {}
    drawn = 0
    before: list[Shape] = []
    mistaken = shapes._mistaken

    def noting(given: list[Shape], rng: Any) -> list[Shape]:
        before[:] = given
        return mistaken(given, rng)

    def counting(given: list[Shape], height: int, width: int) -> Pixels:
        nonlocal drawn
        mask = mask_of(given, height, width)
        if before and (mask != mask_of(list(before), height, width)).any():
            found[drawn] = FORGOTTEN if len(given) < len(before) else OFF
        before.clear()
        drawn += 1
        return mask

    with mock.patch.multiple(shapes, _mistaken=noting, mask_of=counting):
        shapes.drawn_shapes()
    return {number: kind for number, kind in found.items() if number < images}


def main() -> None:
    """Trains, looks for suspects and prints the table."""
    folds = sys.argv[1] if len(sys.argv) > 1 else "4"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        options = [f"holdout.folds={folds}", "name=t", "quiet=true", *sys.argv[2:]]
        run(folder, "train", "data=shapes", *options)
        run(folder, "promote", "select=t-000", "force=benchmark", "name=p", "quiet=true")
        run(folder, "labels", "promotion=p")
        table = pd.read_csv(folder / "runs/shapes/data/train.csv", dtype=str)
        found = pd.read_csv(next(folder.glob("runs/shapes/**/suspects.csv")), dtype={"image": str})
    wrong = wrong_masks(len(table))
    names = list(table["image"])
    suspects = {names.index(name) for name in found["image"]}
    print(machine("torch", "segmentation-models-pytorch"))
    print(f"{len(wrong)} of {len(names)} masks are wrong, {len(suspects)} are suspicious")
    right = len(suspects & wrong.keys())
    print(f"precision {right / max(1, len(suspects)):.2f}, chance {len(wrong) / len(names):.2f}")
    for kind in (FORGOTTEN, OFF):
        of_kind = {number for number, k in wrong.items() if k == kind}
        told = len(of_kind & suspects)
        print(f"recall of {kind}: {told} of {len(of_kind)}")
    ranks = list(dict.fromkeys(map(names.index, found["image"])))
    for first in (5, 10, 20):
        hits = np.isin(ranks[:first], list(wrong)).sum()
        print(f"of the first {min(first, len(ranks))}: {hits} wrong")


if __name__ == "__main__":
    main()
