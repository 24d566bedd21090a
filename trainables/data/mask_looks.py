"""What a contest's folder seems to say of masks: in which files they are, and what pixels mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from results.masks.coco import CocoMasks, read_coco
from results.masks.colours import Colours, read_colours
from spaces.errors import InputError
from trainables.data.contest_masks import masks_in_folder
from trainables.data.guess import Guess

LOOKED_AT = 24
"""Masks that are read."""

MOST = 64
"""Values, or colours, of a mask; pictures have more."""

VOID = 255
"""The number that masks usually have where nothing is known."""

NOTHING = ("void", "ignore", "ignored", "unlabelled", "unlabeled", "unknown")
"""Names of classes that say that nothing is known, in any case."""


def mask_column(root: Path, table: pd.DataFrame, leave: str) -> str:
    """The column whose values are files of masks, relative to a table's folder; empty for none.

    Args:
        root: Folder of the table.
        table: As text.
        leave: The column of images.
    """
    some = table.iloc[:: max(1, len(table) // LOOKED_AT)]
    for column in table.columns.drop(leave):
        files = [root / text for text in some[column].str.strip()]
        if all(map(_there, files)) and are_masks(files):
            return str(column)
    return ""


def _there(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # a text that is too long for a name
        return False


def mask_folder(root: Path, folders: Sequence[str], images: Sequence[str], leave: str) -> str:
    """The folder that has a mask called like each image; empty for none.

    Args:
        root: The contest's folder.
        folders: Folders of images in it.
        images: Names of images.
        leave: The folder that the images are in.
    """
    some = images[:: max(1, len(images) // LOOKED_AT)]
    own = {PurePath(leave, name).with_suffix("") for name in some}
    for folder in folders:
        try:
            masks = masks_in_folder(root, folder, some)
        except InputError:
            continue
        others = not own & {PurePath(name).with_suffix("") for name in masks}
        if others and are_masks([root / name for name in masks]):
            return folder
    return ""


def are_masks(files: Sequence[Path]) -> bool:
    """Whether files look like masks: few values each, stored without loss."""
    for file in files:
        try:
            with Image.open(file) as image:
                if image.format == "JPEG":
                    return False
                pixels = np.asarray(image)
        except (OSError, ValueError):
            return False
        if len(np.unique(_codes(pixels))) > MOST:
            return False
    return True


def annotation_file(root: Path) -> tuple[str, CocoMasks] | None:
    """The COCO file of a contest, and what is in it; None without one."""
    for path in sorted([*root.glob("*.json"), *root.glob("*/*.json")]):
        try:
            found = read_coco(path)
        except InputError:
            continue
        return path.relative_to(root).as_posix(), found
    return None


def meaning_of_files(root: Path, files: Sequence[Path]) -> list[Guess]:
    """What pixels of masks seem to mean.

    Raises:
        InputError: For masks in colour without a table of colours.
    """
    shares: dict[int, float] = defaultdict(float)
    some = files[:: max(1, len(files) // LOOKED_AT)]
    for file in some:
        with Image.open(file) as image:
            pixels = np.asarray(image)
        if pixels.ndim == 3 and (pixels[..., :3] != pixels[..., :1]).any():
            return _of_colours(root, file)
        numbers = _codes(pixels) & 255
        values, counts = np.unique(numbers, return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            shares[value] += count / numbers.size / len(some)
    return _of_numbers(dict(sorted(shares.items())))


def meaning_of_names(names: Sequence[str], shared: str = "") -> list[Guess]:
    """What names of classes seem to mean, and that a pixel can be of several.

    Args:
        names: Of the classes.
        shared: Which of them have pixels in common, in words; empty where none have.
    """
    found = []
    if shared:
        found.append(Guess(option="overlapping", value=True, why=shared))
    for name in names:
        if name.casefold() in NOTHING:
            found.append(Guess(option="void", value=name, why="by its name"))
        elif name.casefold() == "background" and not shared:
            found.append(Guess(option="background", value=name, why="by its name"))
    return found


def _of_numbers(shares: dict[int, float]) -> list[Guess]:
    found = []
    classes = [value for value in shares if value != VOID]
    if VOID in shares and len(classes) > 1:
        why = f"{shares[VOID]:.1%} of the pixels of some masks; the others are {_few(classes)}"
        found.append(Guess(option="void", value=VOID, why=why))
    if shares.get(0, 0) > 0.5:
        why = f"{shares[0]:.0%} of the pixels of some masks are of number 0"
        found.append(Guess(option="background", value="0", why=why))
    return found


def _of_colours(root: Path, file: Path) -> list[Guess]:
    for path in sorted([*root.glob("*.csv"), *root.glob("*/*.csv")]):
        try:
            table: Colours = read_colours(path)
        except InputError:
            continue
        name = path.relative_to(root).as_posix()
        why = f"masks are in colour, and it has {len(table.names)} of them"
        return [Guess(option="colours", value=name, why=why), *meaning_of_names(table.names)]
    raise InputError(
        f"{file}: masks are in colour, but no table in {root} has the columns name,red,green,blue; "
        "write one for data.colours="
    )


def _codes(pixels: NDArray[Any]) -> NDArray[np.uint32]:
    """One number per pixel, uint32 (h, w)."""
    if pixels.ndim == 2:
        return pixels.astype(np.uint32)
    red, green, blue = (pixels[..., c].astype(np.uint32) for c in range(3))
    return np.asarray((red << 16) | (green << 8) | blue)


def _few(values: Sequence[int]) -> str:
    if len(values) > 6 and values == list(range(values[0], values[-1] + 1)):
        return f"{values[0]} to {values[-1]}"
    return ", ".join(map(str, values))
