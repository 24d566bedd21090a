"""Boxes: the part of each image that counts, as columns of the tables or a table of our own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from spaces.csv_table import write_csv_table
from spaces.digest import digest
from spaces.errors import InputError, unknown
from trainables.portable.preparation import SIDES, Box

Boxes = Mapping[str, Box]
"""By name of the image; empty where whole images count."""


def read_boxes(
    table: pd.DataFrame,
    path: Path,
    columns: Sequence[str],
    images: Sequence[str],
    key: str = "data.box",
) -> dict[str, Box]:
    """Reads a box per row of a table.

    Decimals count the pixels that they touch. Whether a box lies inside its image is seen when that
    is decoded.

    Args:
        table: As text.
        path: Where it was read from, for messages.
        columns: Those of left, top, right and bottom.
        images: Names by row.
        key: The option that names them, for messages.

    Raises:
        InputError: If a column is missing, or a box is none, with its row.
    """
    place = f"{key}=[{','.join(columns)}], {path}"
    for column in columns:
        if column not in table:
            raise unknown("column", column, map(str, table.columns), place)
    found = {}
    for row, (image, *texts) in enumerate(
        zip(images, *(table[column] for column in columns), strict=True), start=2
    ):
        try:
            left, top, right, bottom = map(float, texts)
            box = (math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))
        except (ValueError, OverflowError):  # no numbers, or not finite ones
            raise InputError(
                f"{path}, row {row}: the box {', '.join(texts)} needs four numbers"
            ) from None
        if min(box) < 0 or box[0] >= box[2] or box[1] >= box[3]:
            raise InputError(
                f"{path}, row {row}: the box {', '.join(texts)} ({', '.join(columns)}) is empty or "
                "begins outside the image; left, top, right and bottom in pixels are needed"
            )
        found[image] = box
    return found


def boxes_file(boxes: Boxes) -> str:
    """Name of the file that boxes are kept in, which is their identity; empty for none."""
    return f"boxes-{digest(boxes)}.csv" if boxes else ""


def write_boxes(boxes: Boxes, folder: Path) -> None:
    """Writes boxes beside the folds, for what reads the images again."""
    path = folder / boxes_file(boxes)
    if boxes and not path.exists():
        rows = [(image, *box) for image, box in boxes.items()]
        write_csv_table(pd.DataFrame(rows, columns=["image", *SIDES]), path)


def stored_boxes(folder: Path, name: str) -> dict[str, Box]:
    """Reads back what `write_boxes` wrote.

    Args:
        folder: The competition's.
        name: The file, as a configuration has it; empty for none.

    Raises:
        InputError: If it is missing or was changed.
    """
    if not name:
        return {}
    path = folder / name
    if not path.is_file():
        raise InputError(f"{path} is missing: the boxes of a training's images")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    found = read_boxes(table, path, SIDES, list(table["image"]))
    if boxes_file(found) != name:
        raise InputError(f"{path} was changed: it does not hold the boxes of its name")
    return found
