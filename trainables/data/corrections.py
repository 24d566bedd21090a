"""What a person says of labels that may be wrong: a table that is read, checked and recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spaces.csv_table import write_csv_table
from spaces.digest import digest
from spaces.errors import InputError, unknown
from trainables.data.tables import read_table


@dataclass(frozen=True, kw_only=True, eq=False)
class Corrections:
    """Labels of training images as a person corrected them.

    Scores are of labels as given all the same: a yardstick that models helped to make would
    flatter them.

    Attributes:
        classes: Class names.
        given: int64 (n,), class indices in the order of the training table.
        labels: int64 (n,), the same with what was corrected.
        left_out: bool (n,), images that should not be used.
        looked_at: Rows of the images that are listed, those whose label was found right included.
        images: Names of all training images.
    """

    classes: tuple[str, ...]
    given: NDArray[np.int64]
    labels: NDArray[np.int64]
    left_out: NDArray[np.bool_]
    looked_at: NDArray[np.int64]
    images: tuple[str, ...]

    @property
    def relabelled(self) -> NDArray[np.bool_]:
        """Images with another label, (n,)."""
        return np.asarray(self.labels != self.given)

    @property
    def touched(self) -> NDArray[np.bool_]:
        """Images whose label is not used as it is given, (n,)."""
        return self.relabelled | self.left_out

    @property
    def table(self) -> pd.DataFrame:
        """``image``, ``given`` and ``label``, which is empty for an image that is left out."""
        rows = self.looked_at
        names = np.array(self.classes, dtype=object)
        labels = np.where(self.left_out[rows], "", names[self.labels[rows]])
        images = [self.images[row] for row in rows]
        return pd.DataFrame({"image": images, "given": names[self.given[rows]], "label": labels})

    @property
    def digest(self) -> str:
        """Identity of what is listed, in whatever order."""
        return digest(self.table.to_numpy().tolist())

    @property
    def summary(self) -> dict[str, Any]:
        """What a record says of them: their digest, how many labels changed, how many left out."""
        return {
            "digest": self.digest,
            "relabelled": int(self.relabelled.sum()),
            "left_out": int(self.left_out.sum()),
        }

    def write(self, folder: Path) -> Path:
        """Writes ``corrections-<digest>.csv`` into ``folder`` and returns its path."""
        path = folder / corrections_file(self.digest)
        if not path.exists():
            write_csv_table(self.table, path)
        return path


def corrections_file(identity: str) -> str:
    """Name of stored corrections, by their digest."""
    return f"corrections-{identity}.csv"


def read_corrections(
    path: Path,
    images: Sequence[str],
    labels: NDArray[np.int64],
    classes: Sequence[str],
    key: str = "data.corrections",
) -> Corrections:
    """Reads a table with the columns ``image``, ``label`` and, if it is there, ``given``.

    An empty label means that the image should not be used; the label as given means that somebody
    looked and found it right. Other columns are of no concern.

    Args:
        path: The table.
        images: All training images.
        labels: int64 (n,), their labels as given, indices into ``classes``.
        classes: Class names.
        key: The option that names it.

    Raises:
        InputError: For anything missing, unknown, repeated, or meant for another label than the
            one that is given, with file and row; or if nothing is corrected.
    """
    table = read_table(path.parent, path.name, key)
    for column in ("image", "label"):
        if column not in table:
            raise unknown("column", column, map(str, table.columns), str(path))
    row_of = {name: row for row, name in enumerate(images)}
    index = {name: i for i, name in enumerate(classes)}
    corrected, left_out = labels.copy(), np.zeros(len(images), bool)
    seen: dict[str, int] = {}
    listed = [table[c].str.strip() for c in ("image", "label", *({"given"} & {*table.columns}))]
    for line, (name, label, *given) in enumerate(zip(*listed, strict=True), start=2):
        place = f"{path}, row {line}"
        if name not in row_of:
            raise InputError(f"{place}: {name!r} is no image of the training table")
        if name in seen:
            raise InputError(f"{place}: {name!r} is already listed in row {seen[name]}")
        seen[name] = line
        row = row_of[name]
        now = classes[labels[row]]
        if given and given[0] not in (now, ""):
            raise InputError(
                f"{place}: {name!r} has the label {now!r} in the training table, not "
                f"{given[0]!r}, of which this is a correction"
            )
        if label and label not in index:
            raise unknown("class", label, classes, place)
        left_out[row] = not label
        corrected[row] = index[label] if label else labels[row]
    found = Corrections(
        classes=tuple(classes),
        given=labels,
        labels=corrected,
        left_out=left_out,
        looked_at=np.array(sorted(row_of[name] for name in seen), np.int64),
        images=tuple(images),
    )
    if not found.touched.any():
        raise InputError(f"{key}={path} corrects nothing: every label in it is the one given")
    return found
