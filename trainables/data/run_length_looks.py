"""What a table of run lengths seems to say: in which column, in which order, of which classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from results.masks.rle import Bools, Order, bounds, decode, pairs_of
from spaces.errors import InputError
from trainables.data.guess import Guess
from trainables.data.guess_tables import LABELS, Table, label_columns
from trainables.data.image_files import ImageFiles, image_size
from trainables.data.mask_looks import meaning_of_names

LOOKED_AT = 24
"""Rows whose run lengths are drawn."""

RUNS = 3
"""How many at least some row of run lengths has; coordinates have fewer."""


@dataclass(frozen=True, kw_only=True)
class RunLengths:
    """Run lengths in a table.

    Attributes:
        label: Column of their classes; empty where all are of one.
        guesses: Options that say where they are and what they mean.
    """

    label: str
    guesses: tuple[Guess, ...]


def run_lengths_of(root: Path, table: Table) -> RunLengths | None:
    """What a table of images has of run lengths; None where it has none."""
    column = next((str(c) for c in table.rows if _are_runs(table, str(c))), "")
    if not column:
        return None
    files = ImageFiles(root, table.folders)

    def size(name: str) -> tuple[int, int]:
        return image_size(files.existing(name, "train"))

    try:
        order, shorter = _order(table, column, size)
        label = _label(table, column)
        shared = _shared(table, column, label, order, size)
    except (InputError, OSError, ValueError):
        return None
    ways = {"column": "down the columns", "row": "along the rows"}
    found = [
        Guess(option="mask", value=column, why="its values are pairs of numbers that rise: runs"),
        Guess(
            option="run_lengths",
            value=order,
            why=f"{ways[order]} outlines are {shorter:.1f} times shorter than the other way",
        ),
    ]
    if label:
        names = sorted(set(table.rows[label].str.strip()))
        why = f"{len(names):,} classes of run lengths"
        found.append(Guess(option="label", value=label, why=why))
        found += meaning_of_names(names, shared)
    return RunLengths(label=label, guesses=tuple(found))


def _are_runs(table: Table, column: str) -> bool:
    if column == table.image:
        return False
    most = 0
    for text in table.rows[column]:
        try:
            numbers = pairs_of(text)
        except InputError:
            return False
        if (numbers[2::2] < numbers[:-2:2] + numbers[1:-2:2]).any():
            return False
        most = max(most, len(numbers) // 2)
    return most >= RUNS


def _order(
    table: Table, column: str, size: Callable[[str], tuple[int, int]]
) -> tuple[Order, float]:
    """The order in which outlines are shorter, and how many times.

    Raises:
        InputError: For run lengths that do not fit into their image.
    """
    rows = table.rows[table.rows[column].str.strip() != ""]
    some = rows.iloc[:: max(1, len(rows) // LOOKED_AT)]
    lengths: Mapping[Order, list[int]] = {"column": [1], "row": [1]}
    for name, text in zip(some[table.image].str.strip(), some[column], strict=True):
        for way, found in lengths.items():
            inside = decode(text, *size(name), way)
            found.append(len(bounds(inside, "column")) + len(bounds(inside, "row")))
    column_wise, row_wise = (sum(found) for found in lengths.values())
    order: Order = "row" if row_wise < column_wise else "column"
    return order, max(column_wise, row_wise) / min(column_wise, row_wise)


def _label(table: Table, column: str) -> str:
    """The column of classes: one by its usual name, or one that differs within images."""
    found = [c for c in label_columns(table) if c != column]
    named = [c for c in found if c.lower() in LABELS]
    if named:
        return min(named, key=lambda c: LABELS.index(c.lower()))
    of_images = table.rows.groupby(table.rows[table.image].str.strip())
    return next((c for c in found if of_images[c].nunique().max() > 1), "")


def _shared(
    table: Table, column: str, label: str, order: Order, size: Callable[[str], tuple[int, int]]
) -> str:
    """The first image of which classes have pixels in common, in words; empty where none has.

    Raises:
        InputError: For run lengths that do not fit into their image.
    """
    if not label:
        return ""
    for name, rows in table.rows.groupby(table.rows[table.image].str.strip(), sort=False):
        masks: dict[str, Bools] = {}
        for kind, text in zip(rows[label].str.strip(), rows[column], strict=True):
            inside = decode(text, *size(str(name)), order)
            for other, theirs in masks.items():
                both = int(np.count_nonzero(inside & theirs)) if other != kind else 0
                if both:
                    return f"run lengths of {other} and {kind} share {both:,} pixels of {name}"
            masks[kind] = inside | masks.get(kind, np.False_)
    return ""
