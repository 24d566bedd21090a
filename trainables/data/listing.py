"""A table that lists images: of training, of the test, or from elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from spaces.errors import InputError
from trainables.data.boxes import read_boxes
from trainables.data.image_files import ImageFiles
from trainables.data.tables import column_of, leads_outside, led_outside
from trainables.portable.preparation import Box


@dataclass(frozen=True, kw_only=True, eq=False)
class Listing:
    """A table with a row per image.

    Attributes:
        table: As text; its index is that of the rows in the file.
        path: Where it was read from, for messages.
        image: Column with names of images.
        files: Where the images lie.
        part: Of the images: ``train``, ``test`` or ``extra``.
    """

    table: pd.DataFrame
    path: Path
    image: str
    files: ImageFiles
    part: str

    @cached_property
    def images(self) -> tuple[str, ...]:
        """Names of images, each of which is there, and once.

        Raises:
            InputError: If not, with its row.
        """
        found = []
        for row, name in self._each_once(self.image, "data.image"):
            # A link may lead anywhere; a table that others wrote may not.
            try:
                if leads_outside(name):
                    raise led_outside(name, self.files.root)
                self.files.existing(name, self.part)
            except InputError as error:
                raise InputError(f"{self.path}, row {row}: {error}") from None
            found.append(name)
        return tuple(found)

    def ids(self, column: str) -> tuple[str, ...]:
        """What a site calls the images; each has a name of its own."""
        return tuple(name for _, name in self._each_once(column, "data.id"))

    def column(self, name: str, key: str, meant: Collection[str] = ()) -> list[str]:
        """A column's texts, as of `column_of`."""
        return column_of(self.table, self.path, name, key, meant)

    def boxes(self, columns: Sequence[str], key: str = "data.box") -> dict[str, Box]:
        """A box per image, as of `read_boxes`; nothing without columns."""
        return read_boxes(self.table, self.path, columns, self.images, key) if columns else {}

    def _each_once(self, column: str, key: str) -> Iterator[tuple[int, str]]:
        """Rows of the file and their names."""
        seen: dict[str, int] = {}
        for row, name in zip(self.table.index + 2, self.column(column, key), strict=True):
            if seen.setdefault(name, row) != row:
                raise InputError(
                    f"{self.path}, row {row}: {name!r} is already listed in row {seen[name]}"
                )
            yield row, name
