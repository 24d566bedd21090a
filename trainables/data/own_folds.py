"""Folds and hold-outs that a team brings along."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spaces.errors import InputError, unknown

HELD = ("true", "1", "yes", "holdout", "val", "validation")
TRAINED = ("false", "0", "no", "train")
"""What a column may say of images that are held out, and of the others, in any case."""


def own_folds(values: list[str], column: str) -> NDArray[np.int64]:
    """Numbers folds by their names, as numbers where they are such."""
    names = sorted(
        set(values), key=lambda v: (not v.isdecimal(), int(v) if v.isdecimal() else 0, v)
    )
    if len(names) < 2:
        raise InputError(f"data.fold={column}: there is only one fold, {names[0]!r}")
    number = {name: index for index, name in enumerate(names)}
    return np.array([number[v] for v in values], np.int64)


def own_holdout(values: list[str], groups: list[str] | None, column: str) -> NDArray[np.bool_]:
    """Reads which images are held out; groups have to be so as a whole."""
    sides: dict[str, tuple[bool, int]] = {}
    held = np.zeros(len(values), bool)
    for index, value in enumerate(values):
        if value.lower() not in (*HELD, *TRAINED):
            raise unknown(
                "value", value, [*HELD, *TRAINED], f"holdout={column}, training row {index + 2}"
            )
        held[index] = value.lower() in HELD
        if groups is not None:
            side, first = sides.setdefault(groups[index], (bool(held[index]), index + 2))
            if side != held[index]:
                raise InputError(
                    f"holdout={column}: group {groups[index]!r} stands on both sides, in training "
                    f"rows {first} and {index + 2}"
                )
    if held.all() or not held.any():
        raise InputError(f"holdout={column}: {'all' if held.any() else 'no'} images are held out")
    return held
