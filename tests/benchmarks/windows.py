"""Large images in windows: python -m tests.benchmarks.windows [images] [folder] [fix.…=…]

The embedded scenes are trained on in windows of 96 pixels and promoted to two folds. Then
``search.predict`` predicts pictures of 4,000 x 3,000 pixels, mosaics of test scenes, in a process
of its own: its rate, and its highest memory beyond that of the same command with one scene. Beside
it, how alike masks by windows are to those of one pass, on mosaics that the network can see at
once. What a folder holds of an earlier run is not trained again.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from results.records.trials import Search
from search.promotion.exported_folder import builder
from tests.benchmarks.command import run
from tests.benchmarks.machine import machine
from trainables.portable.mask_predictor import MaskPredictor
from trainables.portable.windows import predicted

LARGE, SMALL = (3000, 4000), (384, 512)
"""Heights and widths of mosaics: those that are predicted, and those that fit into one pass."""

PAIRS = 20
"""Small mosaics on which windows are compared with one pass."""

WAYS = [("gaussian", 0.25), ("flat", 0.25), ("cut", 0.25), ("gaussian", 0.5), ("cut", 0.5)]


def mosaics(folder: Path, size: tuple[int, int], count: int) -> Iterator[NDArray[np.uint8]]:
    """Pictures of a size, uint8 (height, width, 3) in BGR, of scenes side by side."""
    scenes = [cv2.imread(str(p)) for p in sorted((folder / "runs/shapes/data/test").iterdir())]
    cells = [cv2.resize(scene, (128, 96)) for scene in scenes if scene is not None]
    rows, columns = -(-size[0] // 96), -(-size[1] // 128)
    for number in range(count):
        drawn = np.random.default_rng(number).integers(len(cells), size=(rows, columns))
        whole = np.vstack([np.hstack([cells[i] for i in row]) for row in drawn])
        yield whole[: size[0], : size[1]]


def write(pictures: Iterator[NDArray[np.uint8]], to: Path) -> Path:
    """Writes pictures as JPEGs."""
    to.mkdir(exist_ok=True)
    for number, picture in enumerate(pictures):
        cv2.imwrite(str(to / f"{number:02d}.jpg"), picture)
    return to


def alike(a: NDArray[np.uint8], b: NDArray[np.uint8], classes: int) -> NDArray[np.float64]:
    """Pixels of each class in both, and in either, float64 (2, classes)."""
    both = [np.sum((a == c) & (b == c)) for c in range(classes)]
    either = [np.sum((a == c) | (b == c)) for c in range(classes)]
    return np.array([both, either], np.float64)


def seams(folder: Path) -> None:
    """Prints how alike masks by windows and in one pass are."""
    search = Search.read(folder / "runs/shapes/p")
    predictor = MaskPredictor(search.folder / "model", builder(search, ""))
    member, model = predictor.members[0]
    size = predictor.looks[0].size
    classes = len(predictor.classes)
    pictures = [cv2.cvtColor(m, cv2.COLOR_BGR2RGB) for m in mosaics(folder, SMALL, PAIRS)]

    def masks(window: tuple[int, int], how: str, overlap: float) -> list[NDArray[np.uint8]]:
        found = [
            predicted(
                np.asarray(picture, np.uint8),
                lambda cut: predictor.forward(member, model, cut),
                window=window,
                scale=1.0,
                overlap=overlap,
                how=how,
                batch=int(member["batch"]),
            )
            for picture in pictures
        ]
        return [f.argmax(axis=2).astype(np.uint8) for f in found]

    whole = masks(SMALL, "flat", 0.0)
    print(f"{PAIRS} mosaics of {SMALL[0]} x {SMALL[1]} by windows against one pass,")
    print("IoU of all pixels together:")
    wider = (3 * size[0], 3 * size[1])
    for window, (how, overlap) in [(w, way) for w in (size, wider) for way in WAYS]:
        pairs = zip(whole, masks(window, how, overlap), strict=True)
        both, either = np.sum([alike(a, b, classes) for a, b in pairs], axis=0)
        told = ", ".join(
            f"{name} {b / e:.3f}"
            for name, b, e in zip(predictor.classes, both, either, strict=True)
            if e
        )
        mean = np.mean([b / e for b, e in zip(both, either, strict=True) if e])
        print(f"  {window[0]} x {window[1]}, {how}, overlap {overlap:g}: mean {mean:.3f} ({told})")


def main() -> None:
    """Trains what is not there yet and prints the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    given = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    with tempfile.TemporaryDirectory() as temporary:
        folder = (given or Path(temporary)).resolve()
        folder.mkdir(exist_ok=True)
        if not (folder / "runs/shapes/p").exists():
            shapes = ["data=shapes", "data.shape=native", "fix.size=96", "holdout.folds=3"]
            shapes += sys.argv[3:]
            run(folder, "train", *shapes, "name=t", "quiet=true")
            promote = ["select=t-000", "folds=2", "force=benchmark", "name=p", "quiet=true"]
            run(folder, "promote", *promote)
        print(machine("torch", "opencv-python-headless"))
        one = write(mosaics(folder, (96, 128), 1), folder / "one")
        many = write(mosaics(folder, LARGE, count), folder / "many")
        predict = ["predict", "promotion=p"]
        _, least = run(folder, *predict, f"images={one}", f"to={folder / 'one-masks'}")
        out, most = run(folder, *predict, f"images={many}", f"to={folder / 'many-masks'}")
        rate = re.search(r"([\d.]+) ms per image", out)
        seconds = float(rate[1]) / 1000 if rate else float("nan")
        print(
            f"{count} pictures of {LARGE[1]:,} x {LARGE[0]:,} with two models: {seconds:.1f} s "
            f"each, {2 * np.prod(LARGE) / seconds / 1e6:.2f} megapixels/s of a model; "
            f"{most:.2f} GiB at most, {most - least:.2f} GiB beyond one scene"
        )
        seams(folder)


if __name__ == "__main__":
    main()
