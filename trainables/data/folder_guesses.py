"""What a contest's folder seems to hold: tables, columns, and where the images are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from spaces.errors import InputError
from trainables.data.guess import Guess
from trainables.data.guess_masks import mask_guesses
from trainables.data.guess_tables import (
    LABELS,
    LOOKED_UP,
    Table,
    folder_of_tests,
    group_guesses,
    guesses_of_tests,
    has_images,
    image_guesses,
    label_columns,
    names_of,
    size_guesses,
    size_of,
    tables_in,
)
from trainables.portable.images import SUFFIXES

BOXES: tuple[tuple[str, ...], ...] = (
    ("left", "top", "right", "bottom"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("x1", "y1", "x2", "y2"),
)
"""Names of the four columns of a box; a width and a height mean something else."""


def guess(root: Path) -> list[Guess]:
    """Looks at a folder.

    Args:
        root: Of a contest as its site gives it out.

    Returns:
        Options that are not their defaults or that somebody should know of.

    Raises:
        InputError: If neither tables of images nor folders of classes are there.
    """
    tables = tables_in(root)
    masked = mask_guesses(root, tables)
    if masked:
        return masked
    training = [t for t in tables if label_columns(t)]
    if not training:
        return _folders(root)
    train = max(training, key=lambda t: ("train" in t.file.lower(), len(t.rows)))
    others = [t for t in tables if t is not train and not set(names_of(t)) & set(names_of(train))]
    samples = [t for t in others if "sample" in t.file.lower()]
    label, why = _label(train, samples)
    found = [
        Guess(
            option="train",
            value=train.file,
            why=f"{len(train.rows):,} rows with images and {label!r}",
        ),
        *image_guesses(train, "train"),
        Guess(option="label", value=label, why=why),
        *group_guesses(train, label),
    ]
    test, tested = guesses_of_tests(root, train, [t for t in others if t not in samples] or samples)
    several = [train] if tested is None else [train, tested]
    box = _box(several) if tested is not None or not test[0].value else []
    return [*found, *test, *box, *size_guesses(root, train), *_metric(train, label, samples)]


def _label(table: Table, samples: Sequence[Table]) -> tuple[str, str]:
    columns = label_columns(table)
    asked = [c for c in columns if any(c in sample.rows for sample in samples)]
    if asked:
        return asked[0], "the sample submission asks for it"
    named = [c for c in columns if c.lower() in LABELS]
    if named:
        return min(named, key=lambda c: LABELS.index(c.lower())), "by its name"
    values = table.rows[columns].nunique()
    return columns[0], f"its {values[columns[0]]} values, each several times"


def _box(tables: Sequence[Table]) -> list[Guess]:
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


def _metric(table: Table, label: str, samples: Sequence[Table]) -> list[Guess]:
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


def _folders(root: Path) -> list[Guess]:
    """Options of a contest whose classes are folders."""
    choices = [p for p in sorted(root.iterdir()) if p.is_dir() and "train" in p.name.lower()]
    for part in [*choices, root]:
        classes = [p for p in sorted(part.iterdir()) if p.is_dir() and has_images(p)]
        if len(classes) > 1 and not any("test" in p.name.lower() for p in classes):
            train = part.relative_to(root).as_posix()
            some = [p for c in classes[:LOOKED_UP] for p in sorted(c.iterdir())[:3]]
            return [
                Guess(option="train", value=train, why=f"{len(classes)} folders of images"),
                folder_of_tests(root, leave=train),
                *size_of([p for p in some if p.suffix.lower() in SUFFIXES]),
                Guess(option="metric", value="macro_f1", why="nothing says which"),
            ]
    raise InputError(
        f"{root}: found neither a table (.csv) whose rows name images and labels, nor a folder "
        "with a folder of images per class"
    )
