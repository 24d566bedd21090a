"""Tables of images in a contest's folder, and what all guesses make of them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import pandas as pd

from spaces.errors import InputError
from trainables.data.guess import Guess
from trainables.data.image_files import ImageFiles
from trainables.data.tables import is_picture, pictures, read_table, seen
from trainables.portable.images import SUFFIXES, decode

LOOKED_UP = 40
"""Rows of a table whose images are looked for."""

FOUND = 0.95
"""Share of a column's values that are images, above which it is a column of images."""

LABELS: tuple[str, ...] = (
    "label",
    "class",
    "target",
    "category",
    "species",
    "diagnosis",
    "y",
    "class_id",
)
"""Names by which columns of labels usually go."""

GROUPS = {"group", "patient", "person", "subject", "identity", "photographer", "site", "station"}
GROUPS |= {"location", "hospital", "session", "scene", "sequence", "camera", "burst", "video"}
"""Names by which columns of groups usually go."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table whose rows are images.

    Attributes:
        file: Relative to the contest's folder.
        rows: As text.
        image: Column of image names.
        folders: In any of which an image may be by its name; an empty one is the contest's.
    """

    file: str
    rows: pd.DataFrame
    image: str
    folders: tuple[str, ...]


def tables_in(root: Path) -> list[Table]:
    """Tables of images, and which of their columns names these."""
    folders = ["", *image_folders(root)]
    found = []
    for file in table_files(root):
        try:
            rows = read_table(root, file, "table")
        except InputError:
            continue
        share, column, within = max(
            (_best_folders(root, folders, rows[column], str(column)) for column in rows),
            key=lambda known: known[0],
        )
        if share > FOUND:
            found.append(Table(file=file, rows=rows, image=column, folders=within))
    return found


def table_files(root: Path) -> list[str]:
    """Files that may be tables, relative to the contest's folder."""
    patterns = ("*.[cC][sS][vV]", "*.[tT][sS][vV]", "*/*.[cC][sS][vV]")  # as Windows has them, too
    paths = sorted(path for pattern in patterns for path in root.glob(pattern) if path.is_file())
    return [path.relative_to(root).as_posix() for path in paths]


def _best_folders(
    root: Path, folders: Sequence[str], names: pd.Series, column: str
) -> tuple[float, str, tuple[str, ...]]:
    """How many of a column's values are images, and in which folder, or in which together."""
    shares = {folder: share_found(root, (folder,), names) for folder in folders}
    best = max(shares, key=lambda folder: shares[folder])
    some = tuple(folder for folder, share in shares.items() if share)
    if shares[best] > FOUND or len(some) < 2:
        return shares[best], column, (best,)
    return share_found(root, some, names), column, some


def image_folders(root: Path) -> list[str]:
    """Folders with images in them, two levels down."""
    folders = [p for p in [*root.glob("*"), *root.glob("*/*")] if p.is_dir() and seen(p, root)]
    return [f.relative_to(root).as_posix() for f in sorted(folders) if has_images(f)]


def has_images(folder: Path) -> bool:
    """Whether image files lie in a folder."""
    return any(p.suffix.lower() in SUFFIXES for p in folder.iterdir() if is_picture(p, folder))


def share_found(root: Path, folders: tuple[str, ...], column: pd.Series) -> float:
    """Share of some names that are images below one of some folders."""
    return _share(_some_files(root, folders, column))


def _share(files: Sequence[Path | None]) -> float:
    return sum(file is not None for file in files) / len(files)


def _some_files(root: Path, folders: tuple[str, ...], column: pd.Series) -> list[Path | None]:
    """The images that some of a column's values name below one of some folders."""
    files, found = ImageFiles(root, folders), []
    for name in column.str.strip().iloc[:: max(1, len(column) // LOOKED_UP)]:
        file = None
        with contextlib.suppress(InputError, OSError):
            file = files.existing(name, "train") if name else None
        found.append(file if file is not None and file.suffix.lower() in SUFFIXES else None)
    return found


def names_of(table: Table) -> list[str]:
    """Names of a table's images, with their folder."""
    within = "+".join(table.folders)
    return [f"{within}/{name}" for name in table.rows[table.image].str.strip()]


def beside_training(root: Path, train: Table, tables: Sequence[Table]) -> tuple[list[Table], str]:
    """Tables of other images than the training table's, and words on those of the same.

    Raises:
        InputError: If one that is called a test table lists an image of the training table.
    """
    own = {name: row for row, name in enumerate(names_of(train), start=2)}
    apart: list[Table] = []
    alike: list[Table] = []
    for table in tables:
        both = [(row, own[n]) for row, n in enumerate(names_of(table), start=2) if n in own]
        if table is train:
            continue
        if both and _called_test(table.file):
            row, there = both[0]
            name = table.rows[table.image].iloc[row - 2]
            raise InputError(
                f"{root / table.file}, row {row}: {name!r} is in {train.file}, row {there}, too: "
                "take it out of one of them, or, where it names two files, write their folders "
                "before the names"
            )
        (alike if both else apart).append(table)
    files = ", ".join(table.file for table in alike)
    return apart, f"; not read: {files}, of some of the same images" if alike else ""


def _called_test(file: str) -> bool:
    """Whether a table's name says that it holds test images, and nothing of training."""
    words = re.split(r"[^a-z]+", file.lower())
    return "train" not in file.lower() and any(word.startswith("test") for word in words)


def label_columns(table: Table) -> list[str]:
    """Columns that can be labels: few values for many rows, none missing."""
    if "sample" in table.file.lower():
        return []
    found = []
    for name in table.rows.columns:
        values = table.rows[name].str.strip()
        if (
            name != table.image
            and 2 <= values.nunique() <= len(values) / 2
            and (values != "").all()
        ):
            found.append(str(name))
    return found


def folder_guesses(table: Table, part: str) -> list[Guess]:
    """The folder that its images are in, where that is not the contest's."""
    if table.folders == ("",):
        return []
    one = len(table.folders) == 1
    value: str | list[str] = table.folders[0] if one else [*table.folders]
    return [Guess(option=f"{part}_images", value=value, why="where these files are")]


def group_guesses(table: Table, label: str) -> list[Guess]:
    """A column that binds images together across labels, by name."""
    for column in label_columns(table):
        words = column.lower().replace("-", "_").split("_")
        if column == label or not set(words) & GROUPS:
            continue
        if not label or table.rows.groupby(label)[column].nunique().max() > 1:
            count = table.rows[column].nunique()
            return [Guess(option="group", value=column, why=f"by its name; {count:,} of them")]
    return []


def size_guesses(root: Path, table: Table) -> list[Guess]:
    """A training size from the images themselves."""
    files, paths = ImageFiles(root, table.folders), []
    for name in table.rows[table.image].str.strip().iloc[:: max(1, len(table.rows) // LOOKED_UP)]:
        with contextlib.suppress(InputError):  # whoever reads the table says so with its row
            paths.append(files.existing(name, "train"))
    return size_of(paths)


def size_of(paths: Sequence[Path]) -> list[Guess]:
    """A training size from some images."""
    sides = []
    for path in paths:
        try:
            sides.append(min(decode(path.read_bytes()).shape[:2]))
        except (ValueError, OSError, cv2.error):
            continue
    if not sides:
        return []
    middle = sorted(sides)[len(sides) // 2]
    size = max(32, min(224, middle // 32 * 32))
    why = f"images are {middle} pixels on their short side"
    if middle > 224:
        why += "; 224 is plenty to begin with"
    return [Guess(option="baseline", value={"size": size}, why=why)]


def folder_of_tests(root: Path, leave: str = "") -> Guess:
    """A folder of test images, by its name."""
    for folder in sorted(p for p in root.iterdir() if p.is_dir()):
        if is_of_tests(folder) and folder.name != leave and pictures(folder):
            return Guess(option="test", value=folder.name, why="a folder of images by that name")
    return Guess(option="test", value="", why="nothing looks like test images")


def is_of_tests(folder: Path) -> bool:
    """Whether a folder's name says that it holds test images."""
    name = folder.name.lower()
    return "test" in name or name in ("tst", "eval", "evaluation")


def id_guesses(test: Table, samples: Sequence[Table], root: Path) -> list[Guess]:
    """A column of the test table with the ids that a sample submission asks for."""
    asked = {sample.file: sample.rows.iloc[:, 0] for sample in samples}
    for file in table_files(root):
        if "sample" in file.lower() and file not in asked:
            with contextlib.suppress(InputError):
                asked[file] = read_table(root, file, "table").iloc[:, 0]
    for file, ids in asked.items():
        for column in test.rows.columns:
            if column != test.image and sorted(test.rows[column]) == sorted(ids):
                return [Guess(option="id", value=str(column), why=f"the ids in {file}")]
    return []


def guesses_of_tests(
    root: Path, train: Table, tables: Sequence[Table]
) -> tuple[list[Guess], Table | None]:
    """Columns of images, and where the test images are: in one of some tables, or in a folder.

    Raises:
        InputError: If several columns of the test table name images, each column others.
    """
    why = "its values are image files"
    if not tables:
        return [Guess(option="image", value=train.image, why=why), folder_of_tests(root)], None
    test = max(tables, key=lambda t: ("test" in t.file.lower(), len(t.rows)))
    column = _tested_column(root, train, test)
    named = Guess(option="image", value=train.image, why=why)
    if column != train.image:
        why = f"their values are image files, in {train.file} and in {test.file}"
        named = Guess(option="image", value=[train.image, column], why=why)
    why = f"{len(test.rows):,} rows of other images"
    found = [named, Guess(option="test", value=test.file, why=why), *folder_guesses(test, "test")]
    return found, replace(test, image=column)


def _tested_column(root: Path, train: Table, test: Table) -> str:
    """The column of the test table that names images: called as in the training table, if any."""
    named = {str(c): _some_files(root, test.folders, test.rows[c]) for c in test.rows}
    whole = [column for column, files in named.items() if _share(files) > FOUND]
    if train.image in whole:
        return train.image
    others = [column for column in whole if named[column] != named[test.image]]
    if others:
        raise InputError(
            f"{root / test.file}: columns {test.image!r} and {others[0]!r} name images, each "
            f"others: data.image=[{train.image},<column>], with data=csv data.root=…, says which"
        )
    return test.image
