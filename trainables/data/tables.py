"""Tables as contests and spreadsheets write them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path, PurePath

import pandas as pd

from spaces.csv_table import read_csv_table
from spaces.errors import InputError, unknown
from trainables.portable.images import SUFFIXES

AUTO = "auto"
"""What stands for groups, or folds, that somebody has yet to look at."""

UNREAD = (".gif", ".heic", ".heif", ".avif", ".jp2", ".dcm", ".svg")
"""Endings of images that are not read."""

MISSING = ("nan", "-nan", "<na>")
"""What programs write where a value is missing, in small letters; hardly anybody calls a class so,
and a group of all such rows would be none."""

TRAIN = "train.csv"
"""The training table where none is named."""


def read_table(folder: Path, file: str, key: str) -> pd.DataFrame:
    """Reads a table whatever its separator, with or without a byte-order mark; all as text.

    Spaces around the names of its columns, which nobody sees, are left out.

    Args:
        folder: That ``file`` is relative to.
        file: Its name.
        key: The option that names it.

    Raises:
        InputError: If it is missing, no table with rows, or two columns differ by such spaces.
    """
    path = folder / file
    if not path.is_file():
        near = [p.name for p in folder.glob("*.csv") if p.is_file()]
        raise unknown("file", file, near, f"{key}={file}, looked for in {folder}")
    table = read_csv_table(path)
    table.columns = table.columns.str.strip()
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise InputError(f"{path}: the column {twice[0]!r} is there twice, once with spaces behind")
    return table


def training_table(folder: Path, train: str, image: str, label: str) -> pd.DataFrame:
    """The table, or one made of folders that are named after classes."""
    if not train:
        raise InputError("data.train= is needed: the training table, or a folder of classes")
    if not (folder / train).is_dir():
        return read_table(folder, train, "data.train")
    whole = folder / train
    parts = [part for part in sorted(whole.iterdir()) if part.is_dir() and seen(part, whole)]
    rows = []
    for part in parts:
        inside = pictures(part)
        if not inside and any(seen(file, part) for file in part.rglob("*")):
            raise InputError(
                f"{part} holds no images that are read, which are {', '.join(SUFFIXES)}"
            )
        if not inside:
            raise InputError(f"{part} is empty: every folder in data.train={train} is a class")
        rows += [(file.relative_to(folder).as_posix(), part.name) for file in inside]
    if not rows:
        raise InputError(f"data.train={train}: {whole} holds no folders of images")
    loose = [file for file in sorted(whole.iterdir()) if is_picture(file, whole)]
    if loose and whole != folder:
        raise InputError(f"{loose[0]} lies beside the folders of classes, in none of them")
    return pd.DataFrame(rows, columns=[image, label])


def test_table(folder: Path, test: str, image: str) -> pd.DataFrame:
    """The table, or one made of the images in a folder."""
    if not (folder / test).is_dir():
        return read_table(folder, test, "data.test")
    names = [file.relative_to(folder).as_posix() for file in pictures(folder / test)]
    if not names:
        raise InputError(f"data.test={test}: {folder / test} holds no images")
    return pd.DataFrame({image: names})


def pictures(folder: Path) -> list[Path]:
    """Image files anywhere in a folder, sorted.

    Raises:
        InputError: For images of a kind that is not read.
    """
    found = sorted(p for p in folder.rglob("*") if seen(p, folder) and p.is_file())
    for path in found:
        if path.suffix.lower() in UNREAD:
            raise InputError(
                f"{path}: images of this kind are not read, which are {', '.join(SUFFIXES)}; "
                "convert it, or take it out of the folder"
            )
    return [path for path in found if path.suffix.lower() in SUFFIXES]


def is_picture(path: Path, folder: Path) -> bool:
    """Whether a path is an image file, and none that a system or an editor left in the folder."""
    return path.suffix.lower() in SUFFIXES and seen(path, folder) and path.is_file()


def seen(path: Path, folder: Path) -> bool:
    """Whether a path in a folder is what somebody put there: no hidden file, copy or archive."""
    parts = path.relative_to(folder).parts
    return not any(part.startswith(".") or part == "__MACOSX" for part in parts)


def column_of(
    table: pd.DataFrame, path: Path, column: str, key: str, meant: Collection[str] = ()
) -> list[str]:
    """A column's texts without spaces around them.

    Args:
        table: As text; its index is that of the rows in the file.
        path: Where it was read from, for messages.
        column: Its name.
        key: The option that names the column.
        meant: Texts that are values even if they look like a missing one.

    Raises:
        InputError: If it is not there, or empty or a word for that in some row.
    """
    if column not in table:
        raise unknown("column", column, map(str, table.columns), f"{key}={column}, {path}")
    values = [str(v).strip() for v in table[column]]
    for row, value in zip(table.index + 2, values, strict=True):
        if not value:
            raise InputError(f"{path}, row {row}: column {column!r} is empty")
        if value.casefold() in MISSING and value not in meant:
            so = "; where a class is called so, data.classes= names it, with all others"
            raise InputError(
                f"{path}, row {row}: column {column!r} says {value!r}, as programs write a missing "
                f"value: fill it in, or take the row out{so if key == 'data.label' else ''}"
            )
    return values


def column_or_table(
    value: str, key: str, images: tuple[str, ...], table: pd.DataFrame, train: Path
) -> list[str]:
    """Values for the training images: a column of their table, or a table of its own.

    Such a table has the columns ``image`` and ``group`` (or ``fold``, after the option's name).
    """
    if value == AUTO and key == "data.group":
        raise InputError(
            f"{key}=auto: python -m search.audit, with the same data options, proposes what to "
            f"take; look at it there, and accept it by {key}=<the file that it names>"
        )
    if value in table or not value.endswith(".csv"):
        return column_of(table, train, value, key)
    path = beside(value, train.parent)
    of = by_image(path, key)
    for row, name in zip(table.index + 2, images, strict=True):
        if name not in of:
            raise InputError(f"{path} does not list {name!r} ({train}, row {row})")
    return [of[name] for name in images]


def by_image(path: Path, key: str) -> dict[str, str]:
    """Values of a table with the columns ``image`` and ``group`` (or ``fold``), by image.

    Args:
        path: The table.
        key: The option that takes such a table, whose name ends with the column's.

    Raises:
        InputError: If it is no such table, or lists an image twice.
    """
    listed = read_table(path.parent, path.name, key)
    names = column_of(listed, path, "image", key)
    of = dict(zip(names, column_of(listed, path, key.removeprefix("data."), key), strict=True))
    if len(of) < len(names):
        twice, _ = Counter(names).most_common(1)[0]
        raise InputError(f"{path} lists {twice!r} twice")
    return of


def beside(value: str, folder: Path) -> Path:
    """A table that an option names: where it is, or relative to the training table's folder.

    One that is nowhere is where its folder is, so that what lies there instead can be told.
    """
    path, below = Path(value), folder / value
    if path.is_absolute() or path.is_file():
        return path
    astray = not below.is_file() and len(path.parts) > 1 and path.parent.is_dir()
    return path if astray else below


def leads_outside(name: str) -> bool:
    """Whether a path leads out of the folder that it is relative to."""
    return PurePath(name).is_absolute() or ".." in PurePath(name).parts


def led_outside(name: str, folder: Path) -> InputError:
    """The refusal of such a path in a table."""
    if PurePath(name).is_absolute():
        return InputError(f"{name!r} is an absolute path; paths are relative to {folder}")
    return InputError(f"{name!r} lies outside {folder}")
