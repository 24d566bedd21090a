"""What a contest's folder seems to hold: tables, columns, and where the images are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import pandas as pd

from spaces.errors import InputError
from trainables.data.image_files import ImageFiles
from trainables.data.tables import read_table
from trainables.portable.images import SUFFIXES, decode

LOOKED_UP = 40
"""Rows of a table whose images are looked for."""

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
GROUPS = {"group", "patient", "person", "subject", "identity", "photographer", "site", "station"}
GROUPS |= {"location", "hospital", "session", "scene", "sequence", "camera", "burst", "video"}
"""Names by which columns of labels and of groups usually go."""

BOXES: tuple[tuple[str, ...], ...] = (
    ("left", "top", "right", "bottom"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("x1", "y1", "x2", "y2"),
)
"""Names of the four columns of a box; a width and a height mean something else."""


@dataclass(frozen=True, kw_only=True)
class Guess:
    """One option.

    Attributes:
        option: Its name below ``data.``.
        value: What it seems to be.
        why: What speaks for it.
    """

    option: str
    value: Any
    why: str


@dataclass(frozen=True, kw_only=True)
class _Table:
    """A table whose rows are images.

    Attributes:
        file: Relative to the contest's folder.
        rows: As text.
        image: Column of image names.
        folder: That these are relative to; empty is the contest's.
    """

    file: str
    rows: pd.DataFrame
    image: str
    folder: str


def guess(root: Path) -> list[Guess]:
    """Looks at a folder.

    Args:
        root: Of a contest as its site gives it out.

    Returns:
        Options that are not their defaults or that somebody should know of.

    Raises:
        InputError: If neither tables of images nor folders of classes are there.
    """
    tables = _tables(root)
    training = [t for t in tables if _labels(t)]
    if not training:
        return _folders(root)
    train = max(training, key=lambda t: ("train" in t.file.lower(), len(t.rows)))
    others = [t for t in tables if t is not train and not set(_names(t)) & set(_names(train))]
    samples = [t for t in others if "sample" in t.file.lower()]
    _refuse_masks(root, train)
    label, why = _label(train, samples)
    found = [
        Guess(
            option="train",
            value=train.file,
            why=f"{len(train.rows):,} rows with images and {label!r}",
        ),
        *_image(train, "train"),
        Guess(option="label", value=label, why=why),
        *_group(train, label),
    ]
    plain = [t for t in others if t not in samples] or samples
    tables = [train]
    if plain:
        test = max(plain, key=lambda t: ("test" in t.file.lower(), len(t.rows)))
        if test.image != train.image:
            raise InputError(
                f"{root / test.file} names images in column {test.image!r}, {root / train.file} in "
                f"{train.image!r}: rename one, since data.image= is one column"
            )
        found += [
            Guess(option="test", value=test.file, why=f"{len(test.rows):,} rows of other images"),
            *_image(test, "test")[1:],
        ]
        tables.append(test)
    else:
        found.append(_test_folder(root))
    box = _box(tables) if plain or not found[-1].value else []
    return [*found, *box, *_size(root, train), *_metric(train, label, samples)]


def _tables(root: Path) -> list[_Table]:
    """Tables of images, and which of their columns names these."""
    folders = ["", *_image_folders(root)]
    found = []
    for path in sorted([*root.glob("*.csv"), *root.glob("*.tsv"), *root.glob("*/*.csv")]):
        file = path.relative_to(root).as_posix()
        try:
            rows = read_table(root, file, "table")
        except InputError:
            continue
        best = max(
            ((_share(root, folder, rows[c]), c, folder) for c in rows for folder in folders),
            key=lambda known: known[0],
        )
        if best[0] > 0.95:
            found.append(_Table(file=file, rows=rows, image=str(best[1]), folder=best[2]))
    return found


def _image_folders(root: Path) -> list[str]:
    """Folders with images in them, two levels down."""
    folders = [p for p in [*root.glob("*"), *root.glob("*/*")] if p.is_dir()]
    return [f.relative_to(root).as_posix() for f in sorted(folders) if _has_images(f)]


def _has_images(folder: Path) -> bool:
    return any(p.suffix.lower() in SUFFIXES for p in folder.iterdir() if p.is_file())


def _share(root: Path, folder: str, column: pd.Series) -> float:
    """Share of some names that are images below a folder."""
    files = ImageFiles(root, (folder,))
    names = column.str.strip().iloc[:: max(1, len(column) // LOOKED_UP)]
    there = 0
    for name in names:
        try:
            there += bool(name) and files.existing(name, "train").suffix.lower() in SUFFIXES
        except (InputError, OSError):
            continue
    return there / len(names)


def _names(table: _Table) -> list[str]:
    return [f"{table.folder}/{name}" for name in table.rows[table.image].str.strip()]


def _labels(table: _Table) -> list[str]:
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


def _label(table: _Table, samples: Sequence[_Table]) -> tuple[str, str]:
    columns = _labels(table)
    asked = [c for c in columns if any(c in sample.rows for sample in samples)]
    if asked:
        return asked[0], "the sample submission asks for it"
    named = [c for c in columns if c.lower() in LABELS]
    if named:
        return min(named, key=lambda c: LABELS.index(c.lower())), "by its name"
    values = table.rows[columns].nunique()
    return columns[0], f"its {values[columns[0]]} values, each several times"


def _refuse_masks(root: Path, table: _Table) -> None:
    folders = ["", *_image_folders(root)]
    for column in table.rows.columns.drop(table.image):
        if max(_share(root, folder, table.rows[column]) for folder in folders) > 0.95:
            raise InputError(
                f"{root / table.file}: column {str(column)!r} names images, too; where they "
                "are masks, this is a segmentation contest, which is not trained yet"
            )


def _image(table: _Table, part: str) -> list[Guess]:
    found = [Guess(option="image", value=table.image, why="its values are image files")]
    if table.folder:
        why = "where these files are"
        found.append(Guess(option=f"{part}_images", value=table.folder, why=why))
    return found


def _group(table: _Table, label: str) -> list[Guess]:
    """A column that binds images together across labels, by name."""
    for column in _labels(table):
        words = column.lower().replace("-", "_").split("_")
        if column == label or not set(words) & GROUPS:
            continue
        if table.rows.groupby(label)[column].nunique().max() > 1:
            count = table.rows[column].nunique()
            return [Guess(option="group", value=column, why=f"by its name; {count:,} of them")]
    return []


def _box(tables: Sequence[_Table]) -> list[Guess]:
    """Four columns that every table has and whose values are boxes."""
    for names in BOXES:
        columns = [[c for n in names for c in t.rows.columns if c.lower() == n] for t in tables]
        if all(len(found) == 4 and found == columns[0] for found in columns):
            values = pd.concat([t.rows[columns[0]] for t in tables])
            left, top, right, bottom = values.apply(pd.to_numeric, errors="coerce").to_numpy().T
            if ((left >= 0) & (top >= 0) & (left < right) & (top < bottom)).all():
                why = "by their names; each row is a box, so images are cut to it"
                return [Guess(option="box", value=list(columns[0]), why=why)]
    return []


def _metric(table: _Table, label: str, samples: Sequence[_Table]) -> list[Guess]:
    counts = Counter(table.rows[label])
    columns = set(counts)
    if any(columns <= set(sample.rows.columns) for sample in samples):
        why = "the sample submission has a column per class, so probabilities seem to count"
        return [Guess(option="metric", value="log_loss", why=why)]
    ratio = max(counts.values()) / min(counts.values())
    if ratio > 1.5:
        why = f"the largest class has {ratio:.1f} times the images of the smallest"
        return [Guess(option="metric", value="macro_f1", why=why)]
    return [Guess(option="metric", value="accuracy", why="classes are about equally large")]


def _size(root: Path, table: _Table) -> list[Guess]:
    """A training size from the images themselves."""
    files = ImageFiles(root, (table.folder,))
    names = table.rows[table.image].str.strip().iloc[:: max(1, len(table.rows) // LOOKED_UP)]
    return _size_of([files.existing(name, "train") for name in names])


def _size_of(paths: Sequence[Path]) -> list[Guess]:
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


def _folders(root: Path) -> list[Guess]:
    """Options of a contest whose classes are folders."""
    choices = [p for p in sorted(root.iterdir()) if p.is_dir() and "train" in p.name.lower()]
    for part in [*choices, root]:
        classes = [p for p in sorted(part.iterdir()) if p.is_dir() and _has_images(p)]
        if len(classes) > 1 and not any("test" in p.name.lower() for p in classes):
            train = part.relative_to(root).as_posix()
            some = [p for c in classes[:LOOKED_UP] for p in sorted(c.iterdir())[:3]]
            return [
                Guess(option="train", value=train, why=f"{len(classes)} folders of images"),
                _test_folder(root, leave=train),
                *_size_of([p for p in some if p.suffix.lower() in SUFFIXES]),
                Guess(option="metric", value="macro_f1", why="nothing says which"),
            ]
    raise InputError(
        f"{root}: found neither a table (.csv) whose rows name images and labels, nor a folder "
        "with a folder of images per class"
    )


def _test_folder(root: Path, leave: str = "") -> Guess:
    for folder in sorted(p for p in root.iterdir() if p.is_dir()):
        inside = any(p.suffix.lower() in SUFFIXES for p in folder.rglob("*"))
        if "test" in folder.name.lower() and folder.name != leave and inside:
            return Guess(option="test", value=folder.name, why="a folder of images by that name")
    return Guess(option="test", value="", why="nothing looks like test images")
