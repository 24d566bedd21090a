"""A contest: tables of images and labels in a folder, checked when read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from results.tasks.tasks import task_of
from spaces.errors import InputError, unknown

AUTO = "auto"
"""What stands for groups that somebody has yet to look at."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Contest:
    """What there is to learn from and to predict.

    Attributes:
        name: Competition name, a folder name below ``runs/`` and the MLflow experiment.
        root: Folder that image paths are relative to.
        train_images: Image paths in the order of the training table.
        test_images: Image paths in the order of the test table; may be empty.
        labels: int64 (n_train,), indices into ``classes``.
        classes: Class names; their order is the order of probability columns everywhere.
        groups: str (n_train,), or None; images of one group never stand on both sides of a split.
        fold: int64 (n_train,), a team's own folds from 0, or None.
        task: Kind of prediction.
    """

    name: str
    root: Path
    train_images: tuple[str, ...]
    test_images: tuple[str, ...]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    groups: NDArray[np.str_] | None = None
    fold: NDArray[np.int64] | None = None
    task: str = "classification"

    @property
    def images(self) -> tuple[str, ...]:
        """Training images, then test images: the rows of the image store."""
        return self.train_images + self.test_images


def load_contest(
    *,
    name: str,
    root: str | Path,
    train: str = "train.csv",
    test: str = "test.csv",
    image: str = "image",
    label: str = "label",
    group: str = "",
    fold: str = "",
    classes: Sequence[str] = (),
    task: str = "classification",
) -> Contest:
    """Reads a contest's tables.

    Args:
        name: Competition name.
        root: The contest's folder.
        train: Training table, relative to ``root``.
        test: Test table, relative to ``root``; empty for none.
        image: Column with image paths relative to ``root``.
        label: Column with labels.
        group: Column with groups, or a table of images and groups (``.csv``); empty for none.
        fold: Column with a team's own folds, numbered in the order of their names; empty for none.
        classes: Class names in the order wanted; sorted labels when empty.
        task: What the targets are.

    Raises:
        InputError: For anything missing, empty, repeated or unknown, with file and row.
    """
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise InputError(f"data.root={str(root)!r}: there is no such folder")
    table = _read(folder, train, "data.train")
    images = _images(table, folder / train, image, folder)
    label_values = _column(table, folder / train, label, "data.label")
    labels, names = task_of(task).read_targets(label_values, tuple(classes), folder / train)
    index = {c: i for i, c in enumerate(names)}
    groups = _groups(group, images, table, folder / train) if group else None
    test_images: tuple[str, ...] = ()
    if test:
        test_table = _read(folder, test, "data.test")
        test_images = _images(test_table, folder / test, image, folder)
        if label in test_table:
            for row, value in enumerate(test_table[label].astype(str), start=2):
                if value not in index:
                    place = f"{folder / test}, row {row}, column {label!r}"
                    raise unknown("label", value, names, f"{place}; only the test knows it")
    both = set(images) & set(test_images)
    if both:
        raise InputError(f"{sorted(both)[0]!r} is listed in both {train} and {test}")
    return Contest(
        name=name,
        root=folder.resolve(),
        train_images=images,
        test_images=test_images,
        labels=labels,
        classes=names,
        groups=groups,
        fold=_own_folds(_column(table, folder / train, fold, "data.fold"), fold) if fold else None,
        task=task,
    )


def _read(folder: Path, file: str, key: str) -> pd.DataFrame:
    path = folder / file
    if not path.is_file():
        near = [p.name for p in folder.glob("*.csv")]
        raise unknown("file", file, near, f"{key}={file}, looked for in {folder}")
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a CSV table: {error}") from error
    if table.empty:
        raise InputError(f"{path} has no rows")
    return table


def _column(table: pd.DataFrame, path: Path, column: str, key: str) -> list[str]:
    if column not in table:
        raise unknown("column", column, map(str, table.columns), f"{key}={column}, {path}")
    values = [str(v).strip() for v in table[column]]
    for row, value in enumerate(values, start=2):
        if not value:
            raise InputError(f"{path}, row {row}: column {column!r} is empty")
    return values


def _groups(
    group: str, images: tuple[str, ...], table: pd.DataFrame, train: Path
) -> NDArray[np.str_]:
    """Groups by a column of the training table, or by a table of their own."""
    if group == AUTO:
        raise InputError(
            "data.group=auto: groups are proposed by python -m search.audit, with the same data "
            "options; look at them there, and accept them by data.group=<the file that it names>"
        )
    if group in table or not group.endswith(".csv"):
        return np.array(_column(table, train, group, "data.group"), dtype=np.str_)
    path = Path(group).expanduser()
    path = path if path.is_absolute() or path.is_file() else train.parent / group
    listed = _read(path.parent, path.name, "data.group")
    names = _column(listed, path, "image", "data.group")
    of = dict(zip(names, _column(listed, path, "group", "data.group"), strict=True))
    if len(of) < len(names):
        twice, _ = Counter(names).most_common(1)[0]
        raise InputError(f"{path} lists {twice!r} twice")
    for row, name in enumerate(images, start=2):
        if name not in of:
            raise InputError(f"{path} has no group for {name!r} ({train}, row {row})")
    return np.array([of[name] for name in images], dtype=np.str_)


def _own_folds(values: list[str], column: str) -> NDArray[np.int64]:
    """Numbers folds by their names, as numbers where they are such."""
    names = sorted(
        set(values), key=lambda v: (not v.isdecimal(), int(v) if v.isdecimal() else 0, v)
    )
    if len(names) < 2:
        raise InputError(f"data.fold={column}: there is only one fold, {names[0]!r}")
    number = {name: index for index, name in enumerate(names)}
    return np.array([number[v] for v in values], np.int64)


def _images(table: pd.DataFrame, path: Path, column: str, folder: Path) -> tuple[str, ...]:
    names = _column(table, path, column, "data.image")
    seen: dict[str, int] = {}
    root = folder.resolve()
    for row, name in enumerate(names, start=2):
        if name in seen:
            raise InputError(f"{path}, row {row}: {name!r} is already listed in row {seen[name]}")
        seen[name] = row
        file = (root / name).resolve()
        if not file.is_relative_to(root):
            raise InputError(f"{path}, row {row}: {name!r} lies outside {root}")
        if not file.is_file():
            raise InputError(f"{path}, row {row}: image {name!r} is missing in {root}")
    return tuple(names)
