"""Masks in a table: a row of run lengths per image, per class of an image, or per object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from results.masks.class_sets import ClassSets
from results.masks.notation import Notation, Order
from results.masks.planes import Pixels
from results.masks.rle import Bools, decode
from spaces.digest import digest
from spaces.errors import InputError

MASK = "mask"
"""The class of run lengths without classes."""


@dataclass(frozen=True, kw_only=True)
class Cells:
    """What a table says of masks, by its rows.

    Attributes:
        path: The table.
        images: Names of images; an image may have several rows.
        texts: Files, or run lengths.
        classes: Class names; none where the table does not tell them.
    """

    path: Path
    images: Sequence[str]
    texts: Sequence[str]
    classes: Sequence[str] = ()

    def place(self, row: int) -> str:
        """Where a row stands, for messages."""
        return f"{self.path}, row {row + 2}"

    def file_place(self, row: int) -> str:
        """Where a row that names a file stands, and the file."""
        return f"{self.place(row)} ({self.texts[row]})"

    @cached_property
    def rows(self) -> Mapping[str, Sequence[int]]:
        """The rows of every image, in the order of the table."""
        found: dict[str, list[int]] = {}
        for row, image in enumerate(self.images):
            found.setdefault(image, []).append(row)
        return found


@dataclass(frozen=True, kw_only=True)
class RunLengthRows:
    """Masks as run lengths. Pixels that no row claims are the first class, of number 0.

    Attributes:
        cells: The table.
        images: The images that masks are of.
        sizes: Height and width of each in pixels.
        names: Class names by number.
        order: How pixels are numbered.
        sets: Where classes overlap, what numbers of masks stand for; those are of sets then.
    """

    cells: Cells
    images: Sequence[str]
    sizes: Sequence[tuple[int, int]]
    names: tuple[str, ...]
    order: Order
    sets: ClassSets | None = None

    @property
    def written(self) -> Notation:
        """Names and order."""
        return Notation(names=self.names, order=self.order)

    @property
    def key(self) -> Any:
        """The table's texts, and the sizes."""
        cells = self.cells
        known = digest([list(cells.images), list(cells.texts), list(cells.classes)])
        return [known, list(self.sizes), self.names, self.order, self.sets is not None]

    def read(self, row: int) -> Pixels:
        """The mask of an image, uint8 (height, width), of numbers.

        Raises:
            InputError: For run lengths that are none or do not fit the image, and for classes that
                claim the same pixel.
        """
        numbers = np.zeros(self.sizes[row], np.uint8)
        lines = self.cells.rows[self.images[row]]
        if self.sets is not None:
            for line in sorted(lines, key=self._number):  # few sets are met on the way
                inside, number = self._inside(row, line), self._number(line)
                if number:
                    self.sets.add(numbers, inside, number)
            return numbers
        lines = sorted(lines, key=lambda line: self._number(line) == 0)
        for line in lines:  # the background comes last, since it leaves no trace
            inside, number = self._inside(row, line), self._number(line)
            found = numbers[inside]
            taken = (found != 0) & (found != number)
            if taken.any():
                y, x = np.argwhere(inside)[int(taken.argmax())].tolist()
                other = next(
                    k for k in lines if self._number(k) != number and self._inside(row, k)[y, x]
                )
                raise InputError(
                    f"{self._place(row, line)}: {self.names[number]!r} covers "
                    f"{np.count_nonzero(taken):,} pixels of {self.names[numbers[y, x]]!r} in row "
                    f"{other + 2}, the first at x={x}, y={y}, but classes exclude each other "
                    "unless data.overlapping=true"
                )
            numbers[inside] = number
        return numbers

    def _inside(self, row: int, line: int) -> Bools:
        assert self.order
        try:
            return decode(self.cells.texts[line], *self.sizes[row], self.order)
        except InputError as error:
            raise InputError(f"{self._place(row, line)}: {error}") from None

    def _place(self, row: int, line: int) -> str:
        return f"{self.cells.place(line)} ({self.images[row]})"

    def _number(self, line: int) -> int:
        """Number of a row's class; a row without one has to be of an empty mask."""
        name = self.cells.classes[line] if self.cells.classes else self.names[-1]
        return self.names.index(name) if name in self.names else 0


def class_names(cells: Cells, background: str) -> tuple[str, ...]:
    """Class names by number, the background's being 0.

    Raises:
        InputError: For run lengths without a class in a table that has classes.
    """
    for row, (text, name) in enumerate(zip(cells.texts, cells.classes, strict=False)):
        if text and not name:
            raise InputError(f"{cells.place(row)}: these run lengths have no class")
    named = sorted({name for name in cells.classes if name} - {background})
    return (background, *(named if cells.classes else [MASK]))
