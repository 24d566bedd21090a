"""What a table of run lengths seems to say: in which column, in which order, of which classes.

A few rows may be wrong: they are told, with what is wrong with them, where all are read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from results.masks.rle import Bools, Order, bounds, decode, pairs_of
from spaces.errors import InputError
from trainables.data.guess import Guess
from trainables.data.guess_tables import LABELS, Table, label_columns
from trainables.data.image_files import ImageFiles, image_size
from trainables.data.mask_looks import meaning_of_names

Rows = TypeVar("Rows", pd.DataFrame, pd.Series)

Draw = Callable[[str, str, Order], Bools | None]
"""From an image, run lengths and their order to a mask; None where they do not fit."""

LOOKED_AT = 24
"""Rows whose run lengths are looked at and drawn."""

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

    def draw(name: str, text: str, order: Order) -> Bools | None:
        try:
            return decode(text, *image_size(files.existing(name, "train")), order)
        except (OSError, ValueError):
            return None

    lengths = _outlines(table, column, draw)
    if lengths is None:
        return None
    order: Order = "row" if lengths["row"] < lengths["column"] else "column"
    shorter = max(lengths.values()) / min(lengths.values())
    label = _label(table, column)
    shared = _shared(table, column, label, order, draw)
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
    """Whether most values that are not empty are pairs that rise, and some are many."""
    if column == table.image:
        return False
    texts = table.rows[column].str.strip()
    texts = texts[texts != ""]
    some = [_runs(text) is not None for text in _spread(texts)]
    return 2 * sum(some) > len(some) and any((_runs(text) or 0) >= RUNS for text in texts)


def _runs(text: str) -> int | None:
    """How many runs a text has; None where it is no pairs that rise."""
    try:
        numbers = pairs_of(text)
    except InputError:
        return None
    falls = (numbers[2::2] < numbers[:-2:2] + numbers[1:-2:2]).any()
    return None if falls else len(numbers) // 2


def _spread(rows: Rows) -> Rows:
    """`LOOKED_AT` rows, or some more, from all over a table."""
    return rows.iloc[:: max(1, len(rows) // LOOKED_AT)]


def _outlines(table: Table, column: str, draw: Draw) -> dict[Order, int] | None:
    """How long the outlines of some rows are in each order; None if most rows do not fit."""
    some = _spread(table.rows[table.rows[column].str.strip() != ""])
    lengths: dict[Order, int] = {"column": 1, "row": 1}
    drawn = 0
    for name, text in zip(some[table.image].str.strip(), some[column], strict=True):
        for way in lengths:
            inside = draw(name, text, way)
            if inside is None:
                break
            lengths[way] += len(bounds(inside, "column")) + len(bounds(inside, "row"))
        else:
            drawn += 1
    return lengths if 2 * drawn > len(some) else None


def _label(table: Table, column: str) -> str:
    """The column of classes: one by its usual name, or one that differs within images."""
    found = [c for c in label_columns(table) if c != column]
    named = [c for c in found if c.lower() in LABELS]
    if named:
        return min(named, key=lambda c: LABELS.index(c.lower()))
    of_images = table.rows.groupby(table.rows[table.image].str.strip())
    return next((c for c in found if of_images[c].nunique().max() > 1), "")


def _shared(table: Table, column: str, label: str, order: Order, draw: Draw) -> str:
    """The first image of which classes have pixels in common, in words; empty where none has."""
    if not label:
        return ""
    for name, rows in table.rows.groupby(table.rows[table.image].str.strip(), sort=False):
        masks: dict[str, Bools] = {}
        for kind, text in zip(rows[label].str.strip(), rows[column], strict=True):
            inside = draw(str(name), text, order)
            if inside is None:
                continue
            for other, theirs in masks.items():
                both = int(np.count_nonzero(inside & theirs)) if other != kind else 0
                if both:
                    return f"run lengths of {other} and {kind} share {both:,} pixels of {name}"
            masks[kind] = inside | masks.get(kind, np.False_)
    return ""
