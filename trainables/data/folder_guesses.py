"""What a contest's folder seems to hold: tables, columns, and where the images are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from results.tasks.classification import is_probability
from spaces.errors import InputError
from trainables.data.guess import Guess
from trainables.data.guess_masks import mask_guesses
from trainables.data.guess_tables import (
    LABELS,
    LOOKED_UP,
    Table,
    beside_training,
    folder_guesses,
    folder_of_tests,
    group_guesses,
    guesses_of_tests,
    has_images,
    id_guesses,
    is_of_tests,
    label_columns,
    size_guesses,
    size_of,
    table_files,
    tables_in,
)
from trainables.data.tables import pictures, read_table, seen
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
        return _folders(root, tables)
    train = max(training, key=lambda t: ("train" in t.file.lower(), len(t.rows)))
    others, unread = beside_training(root, train, tables)
    samples = [t for t in others if "sample" in t.file.lower()]
    label, why = _label(train, samples)
    found = [
        Guess(
            option="train",
            value=train.file,
            why=f"{len(train.rows):,} rows with images and {label!r}{unread}",
        ),
        *folder_guesses(train, "train"),
        Guess(option="label", value=label, why=why),
        *group_guesses(train, label),
    ]
    test, tested = guesses_of_tests(root, train, [t for t in others if t not in samples] or samples)
    several = [train] if tested is None else [train, tested]
    alone = any(g.option == "test" and not g.value for g in test)
    box = _box(several) if tested is not None or alone else []
    ids = [] if tested is None else id_guesses(tested, samples, root)
    metric = _metric(Counter(train.rows[label].str.strip()), samples)
    return [*found, *test, *ids, *box, *size_guesses(root, train), *metric]


def _label(table: Table, samples: Sequence[Table]) -> tuple[str, str]:
    columns = label_columns(table)
    hot = _one_hot(table, columns)
    if hot:
        some = ", ".join(hot[:4]) + (", …" if len(hot) > 4 else "")
        raise InputError(
            f"{table.file}: {some} say by 0 and 1 of which class an image is; one column of labels "
            f"is needed: table['label'] = table[{hot[:4]!r}].idxmax(axis=1)"
        )
    asked = [c for c in columns if any(c in sample.rows for sample in samples)]
    if asked:
        return asked[0], "the sample submission asks for it"
    named = [c for c in columns if c.lower() in LABELS]
    if named:
        return min(named, key=lambda c: LABELS.index(c.lower())), "by its name"
    values = table.rows[columns].nunique()
    return columns[0], f"its {values[columns[0]]} values, each several times"


def _one_hot(table: Table, columns: Sequence[str]) -> list[str]:
    """Columns of which one is 1 in every row and the others 0; none if there are no such."""
    numbers = table.rows[list(columns)].apply(pd.to_numeric, errors="coerce")
    flags = [c for c in columns if numbers[c].isin([0, 1]).all()]
    whole = len(flags) > 1 and bool((numbers[flags].sum(axis=1) == 1).all())
    return flags if whole else []


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


def _metric(counts: Mapping[str, int], samples: Sequence[Table] = ()) -> list[Guess]:
    columns = set(counts)
    if any(columns <= set(sample.rows.columns) for sample in samples):
        why = "the sample submission has a column per class, so probabilities seem to count"
        return [Guess(option="metric", value="log_loss", why=why)]
    for sample in samples:
        further = [column for column in sample.rows if column != sample.image]
        if len(further) == 1 and is_probability(sample.rows[further[0]], sorted(counts)):
            why = "the sample submission has fractions for one of two classes; it may be log_loss"
            return [Guess(option="metric", value="roc_auc", why=why)]
    ratio = max(counts.values()) / min(counts.values())
    if ratio > 1.5:
        why = f"the largest class has {ratio:.1f} times the images of the smallest"
        return [Guess(option="metric", value="macro_f1", why=why)]
    return [Guess(option="metric", value="accuracy", why="classes are about equally large")]


def _folders(root: Path, tables: Sequence[Table]) -> list[Guess]:
    """Options of a contest whose classes are folders."""
    choices = [p for p in sorted(root.iterdir()) if p.is_dir() and "train" in p.name.lower()]
    for part in [*choices, root]:
        inside = [p for p in sorted(part.iterdir()) if p.is_dir() and seen(p, part)]
        classes = [p for p in inside if has_images(p)]
        if len(classes) > 1 and not any(map(is_of_tests, classes)):
            train = part.relative_to(root).as_posix()
            some = [p for c in classes[:LOOKED_UP] for p in sorted(c.iterdir())[:3]]
            return [
                Guess(option="train", value=train, why=f"{len(classes)} folders of images"),
                folder_of_tests(root, leave=train),
                *size_of([p for p in some if p.suffix.lower() in SUFFIXES]),
                *_metric({p.name: len(pictures(p)) for p in classes}),
            ]
    raise InputError(
        f"{root}: found neither a table (.csv) whose rows name images and labels, nor a folder "
        f"with a folder of images per class{''.join(f'; {why}' for why in _reasons(root, tables))}"
    )


def _reasons(root: Path, tables: Sequence[Table]) -> list[str]:
    """Why tables that are there were not taken."""
    named = {table.file: table for table in tables}
    found = []
    for file in table_files(root):
        try:
            rows = read_table(root, file, "table")
        except InputError as error:
            found.append(str(error))
            continue
        if file not in named:
            first = ", ".join(map(repr, rows.iloc[0]))
            found.append(f"no column of {file} names images that are here: {first} in row 2")
            continue
        empty = [c for c in rows if c != named[file].image and (rows[c].str.strip() == "").any()]
        if empty:
            row = int((rows[empty[0]].str.strip() == "").to_numpy().argmax()) + 2
            found.append(f"{file}, row {row}: column {empty[0]!r} is empty")
        else:
            found.append(f"no column of {file} has 2 to {len(rows) // 2} values, as labels do")
    return found
