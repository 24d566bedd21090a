"""A contest's folder, written whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawn:
    """A contest before it has a folder.

    Attributes:
        photos: uint8, grey (h, w) or BGR (h, w, 3); training first.
        train: What the training table says beside the images' names, one ``label`` at least unless
            there are masks.
        solution: The same of the test images, which only the solution says.
        masks: uint8 (h, w) of class numbers, of every photo; none where images have labels.
        classes: Names of the classes that masks are handed in of.
    """

    photos: Sequence[NDArray[np.uint8]]
    train: pd.DataFrame
    solution: pd.DataFrame
    masks: Sequence[NDArray[np.uint8]] = ()
    classes: tuple[str, ...] = ()


def write_contest(folder: Path, card: str, draw: Callable[[], Drawn]) -> Path:
    """Writes a contest into ``folder`` unless it is there already.

    ``train.csv``, ``test.csv``, ``sample_submission.csv``, ``solution.csv`` (what is known of the
    test images, for scoring locally), ``README.md`` and PNG files.

    Args:
        folder: Made here; its parents, too.
        card: What the contest is, in Markdown.
        draw: Makes the contest, where it is not there yet.

    Returns:
        ``folder``.
    """
    if (folder / "train.csv").exists():
        return folder
    drawn = draw()
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        (temporary / "README.md").write_text(card)
        train = _with_names(drawn.train, "train")
        solution = _with_names(drawn.solution, "test")
        _write_pictures(temporary, [*train["image"], *solution["image"]], drawn.photos)
        if drawn.masks:
            for table in (train, solution):
                table.insert(1, "mask", table["image"].str.replace("/", "_mask/"))
            _write_pictures(temporary, [*train["mask"], *solution["mask"]], drawn.masks)
        train.to_csv(temporary / "train.csv", index=False)
        solution.to_csv(temporary / "solution.csv", index=False)
        tests = solution[["image"]]
        tests.to_csv(temporary / "test.csv", index=False)
        sample = _sample(tests, train, drawn.classes)
        sample.to_csv(temporary / "sample_submission.csv", index=False)
        temporary.chmod(0o755)
        try:
            temporary.rename(folder)
        except OSError:
            if not (folder / "train.csv").exists():  # otherwise somebody else was faster
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _write_pictures(folder: Path, names: list[str], pictures: Sequence[NDArray[np.uint8]]) -> None:
    for name, picture in zip(names, pictures, strict=True):
        (folder / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(folder / name), picture)


def _sample(tests: pd.DataFrame, train: pd.DataFrame, classes: tuple[str, ...]) -> pd.DataFrame:
    """The first label for every image, or an empty mask of every class."""
    if not classes:
        return tests.assign(label=sorted(set(train["label"]))[0])
    return tests.merge(pd.DataFrame({"class": classes}), how="cross").assign(rle="")


def _with_names(table: pd.DataFrame, part: str) -> pd.DataFrame:
    named = table.reset_index(drop=True)
    named.insert(0, "image", [f"{part}/{i:04d}.png" for i in range(len(table))])
    return named
