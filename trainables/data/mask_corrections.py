"""What a person says of masks that may be wrong: whether they should be used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spaces.errors import InputError, unknown
from trainables.data.corrections import Corrections
from trainables.data.tables import read_table

USE = ("yes", "no")


def read_mask_corrections(
    path: Path, images: Sequence[str], labels: NDArray[np.int64], classes: Sequence[str]
) -> Corrections:
    """Reads a table with the columns ``image`` and ``use``, which is ``yes`` or ``no``.

    ``yes`` means that somebody looked and found the mask right. Other columns are of no concern.

    Args:
        path: The table.
        images: All training images.
        labels: int64 (n,), their strata, indices into ``classes``.
        classes: Class names.

    Raises:
        InputError: For anything missing, unknown or repeated, with file and row; or if every mask
            in it is to be used.
    """
    table = read_table(path.parent, path.name, "data.corrections")
    for column in ("image", "use"):
        if column not in table:
            raise unknown("column", column, map(str, table.columns), str(path))
    row_of = {name: row for row, name in enumerate(images)}
    left_out = np.zeros(len(images), bool)
    seen: dict[str, int] = {}
    listed = zip(table["image"].str.strip(), table["use"].str.strip(), strict=True)
    for line, (name, use) in enumerate(listed, start=2):
        place = f"{path}, row {line}"
        if name not in row_of:
            raise InputError(f"{place}: {name!r} is no image of the training table")
        if name in seen:
            raise InputError(f"{place}: {name!r} is already listed in row {seen[name]}")
        if use not in USE:
            raise unknown("use", use, USE, place)
        seen[name] = line
        left_out[row_of[name]] = use == "no"
    if not left_out.any():
        raise InputError(f"data.corrections={path} corrects nothing: every mask in it is used")
    return Corrections(
        classes=tuple(classes),
        given=labels,
        labels=labels,
        left_out=left_out,
        looked_at=np.array(sorted(row_of[name] for name in seen), np.int64),
        images=tuple(images),
    )
