"""Run-length encoding as contest sites use it: pairs of start and length, counted from 1."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spaces.errors import InputError

Order = Literal["column", "row"]
"""How pixels are numbered: down the first column, then the next; or along the first row."""

EMPTY = [1, 0]
"""What some sites write for an empty mask."""

Bools = NDArray[np.bool_]


def bounds(mask: NDArray[Any], order: Order) -> NDArray[np.int64]:
    """Where runs begin and end, in turn, counted from 0; int64 (2 x runs,), ends exclusive.

    Args:
        mask: (h, w); what is not 0 is inside.
        order: How pixels are numbered.
    """
    inside = np.asarray(mask, np.bool_)
    flat = (inside.T if order == "column" else inside).ravel()
    if not flat.size:
        return np.zeros(0, np.int64)
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    first, last = ([0] if flat[0] else []), ([flat.size] if flat[-1] else [])
    return np.concatenate([first, changes, last]).astype(np.int64)


def of_counts(counts: NDArray[np.int64], height: int, width: int, order: Order) -> Bools:
    """A mask from the lengths of runs outside and inside, in turn; they fill the image.

    Args:
        counts: int64, the run outside first; it may be 0.
        height: Of the image.
        width: Of the image.
        order: How pixels are numbered.

    Returns:
        bool (height, width).
    """
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    if order == "row":
        return flat.reshape(height, width)
    return np.ascontiguousarray(flat.reshape(width, height).T)


def encode(mask: NDArray[Any], order: Order) -> str:
    """A mask as text, ``start length start length …``, the first pixel being 1.

    Args:
        mask: (h, w); what is not 0 is inside.
        order: How pixels are numbered.

    Returns:
        The pairs, parted by spaces; empty for an empty mask.
    """
    pairs = bounds(mask, order)
    pairs[1::2] -= pairs[::2]
    pairs[::2] += 1
    return " ".join(map(str, pairs.tolist()))


def decode(text: str, height: int, width: int, order: Order) -> Bools:
    """Inverse of `encode`.

    Args:
        text: Pairs of start and length; empty, or ``1 0``, for an empty mask.
        height: Of the image.
        width: Of the image.
        order: How pixels are numbered.

    Returns:
        bool (height, width).

    Raises:
        InputError: If the text is no such pairs, or they do not fit into the image. The message
            names no place; whoever read the text adds it.
    """
    numbers = pairs_of(text)
    starts, lengths = numbers[::2] - 1, numbers[1::2]
    pixels = height * width
    for wrong, what in (
        (starts < 0, "starts before pixel 1"),
        (lengths < 1, "has a length below 1"),
        (lengths > pixels - starts, f"ends beyond the {pixels} pixels of {height} x {width}"),
    ):
        if wrong.any():
            raise InputError(f"{_run(numbers, wrong)} {what}")
    ends = starts + lengths
    wrong = starts[1:] < ends[:-1]
    if wrong.any():
        raise InputError(
            f"{_run(numbers[2:], wrong)} starts before the run ahead of it ends: runs must ascend "
            "and not overlap"
        )
    edges = np.zeros(len(numbers) + 2, np.int64)
    edges[1:-1:2], edges[2:-1:2], edges[-1] = starts, ends, pixels
    return of_counts(np.diff(edges), height, width, order)


def pairs_of(text: str) -> NDArray[np.int64]:
    """Starts and lengths in turn, int64 (2 x runs,); nothing for an empty mask.

    Raises:
        InputError: If the text is no whole numbers, or no pairs of them.
    """
    words = text.split()
    try:
        numbers = np.array(words, dtype=np.int64)
    except (ValueError, OverflowError):
        odd = next(word for word in words if not word.isdecimal() or len(word) > 18)
        raise InputError(
            f"a run-length encoding is whole numbers parted by spaces, got {odd[:40]!r}"
        ) from None
    if len(numbers) % 2:
        raise InputError(
            f"a run-length encoding is pairs of start and length, got {len(numbers)} numbers: "
            f"{text[:40]!r}"
        )
    return numbers[:0] if numbers.tolist() == EMPTY else numbers


def _run(numbers: NDArray[np.int64], wrong: Bools) -> str:
    """The first run that is wrong, as it stands in the text."""
    start, length = numbers.reshape(-1, 2)[int(wrong.argmax())].tolist()
    return f"run '{start} {length}'"
