"""Masks whose classes are colours, by a table of names and colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from results.masks.counts import VOID, Mask
from spaces.csv_table import read_csv_table
from spaces.errors import InputError

COLUMNS = (("name", "class"), ("red", "r"), ("green", "g"), ("blue", "b"))
"""Names of the columns, in any case; either of each pair."""

Rgb = tuple[int, int, int]
"""Red, green and blue."""

Pixel = tuple[int, int]
"""Its x and y."""

_NEAREST = 3
"""Colours that are named where one is not in the table."""

_AT_ONCE = 1 << 20
"""Pixels that are looked up at once, so that large masks need little memory."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Colours:
    """Colours of classes.

    Attributes:
        path: Where they were read from, for messages.
        names: Class names in the table's order; an index is a place in it.
        rgb: uint8 (classes, 3).
    """

    path: Path
    names: tuple[str, ...]
    rgb: NDArray[np.uint8]
    _codes: NDArray[np.int32] = field(init=False, repr=False)
    _order: NDArray[np.uint8] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        codes = _codes(self.rgb)
        order = np.argsort(codes)
        object.__setattr__(self, "_codes", codes[order])
        object.__setattr__(self, "_order", order.astype(np.uint8))

    def indices(self, mask: NDArray[np.uint8]) -> Mask:
        """Class indices of a mask.

        Args:
            mask: uint8 (h, w, 3), RGB.

        Returns:
            uint8 (h, w), places in `names`.

        Raises:
            ColourError: For colours that are not in the table.
            ValueError: For more of them than a table can have. Neither message names the mask;
                whoever read it adds it.
        """
        height, width = mask.shape[:2]
        pixels, found = mask.reshape(-1, 3), np.empty(height * width, np.uint8)
        unknown: dict[int, int] = {}
        for start in range(0, len(pixels), _AT_ONCE):
            codes = _codes(pixels[start : start + _AT_ONCE])
            places = np.searchsorted(self._codes, codes)
            np.minimum(places, len(self._codes) - 1, out=places)
            odd = self._codes[places] != codes
            if odd.any():
                there = np.flatnonzero(odd)
                strange, first = np.unique(codes[there], return_index=True)
                for code, at in zip(strange.tolist(), there[first].tolist(), strict=True):
                    unknown.setdefault(code, start + at)
                if len(unknown) > VOID:
                    raise ValueError(
                        f"it has more than {VOID} colours that are not in {self.path}: it is no "
                        "mask, or was stored with loss, or smoothed when it was resized"
                    )
            found[start : start + _AT_ONCE] = self._order[places]
        if unknown:
            firsts = sorted(unknown.values())
            raise ColourError(self, {_rgb(pixels[at]): (at % width, at // width) for at in firsts})
        return found.reshape(height, width)

    def nearest(self, colour: Rgb) -> str:
        """The colours of the table that are most like another one, with their names."""
        away = np.linalg.norm(self.rgb.astype(float) - colour, axis=1)
        near = np.argsort(away, kind="stable")[:_NEAREST].tolist()
        return ", ".join(f"{shown(_rgb(self.rgb[i]))} ({self.names[i]})" for i in near)


class ColourError(ValueError):
    """A mask has colours that are not in the table.

    Args:
        colours: The table.
        pixels: The first pixel of each colour.
    """

    def __init__(self, colours: Colours, pixels: Mapping[Rgb, Pixel]) -> None:
        super().__init__(f"{', '.join(map(shown, pixels))}: not in {colours.path}")
        self.colours, self.pixels = colours, pixels


def read_colours(path: Path) -> Colours:
    """Reads a table with the columns ``name,red,green,blue`` or ``class,r,g,b``.

    Raises:
        InputError: If it is missing or no such table; for a colour that is none, and for names and
            colours that are there twice, with the row.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    table = read_csv_table(path)
    of = {str(column).strip().lower(): column for column in table.columns}
    columns = [next((of[name] for name in names if name in of), None) for names in COLUMNS]
    if None in columns:
        raise InputError(
            f"{path}: columns name,red,green,blue are needed; there are {', '.join(table.columns)}"
        )
    if len(table) > VOID:
        raise InputError(f"{path}: {VOID} classes at most, got {len(table)}")
    names: dict[str, int] = {}
    colours: dict[tuple[int, ...], int] = {}
    for row, cells in enumerate(table[columns].itertuples(index=False), start=2):
        name, *parts = (str(cell).strip() for cell in cells)
        if not all(part.isdecimal() and len(part) <= 3 and int(part) <= 255 for part in parts):
            raise InputError(
                f"{path}, row {row}: a colour is three numbers from 0 to 255, got {','.join(parts)}"
            )
        colour = tuple(map(int, parts))
        if not name or name in names:
            where = f"there in row {names[name]}, too" if name else "empty"
            raise InputError(f"{path}, row {row}: the name {name!r} is {where}")
        if colour in colours:
            raise InputError(
                f"{path}, row {row}: the colour {','.join(parts)} is there in row "
                f"{colours[colour]}, too"
            )
        names[name] = colours[colour] = row
    return Colours(path=path, names=tuple(names), rgb=np.array([*colours], np.uint8))


def _codes(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """One number per colour: int32 (n,) from uint8 (n, 3)."""
    red, green, blue = (pixels[:, i].astype(np.int32) for i in range(3))
    return (red << 16) | (green << 8) | blue


def shown(colour: Rgb) -> str:
    """A colour as tables write it."""
    return ",".join(map(str, colour))


def _rgb(pixel: NDArray[np.uint8]) -> Rgb:
    red, green, blue = pixel.tolist()
    return red, green, blue
