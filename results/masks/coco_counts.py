"""COCO's text of run lengths: numbers in printable characters, most of them differences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FIRST, _LAST = 48, 111
"""Characters of six bits each: five of the number, the lowest first, and whether more follow."""

_MORE, _SIGN, _PARTS = 0x20, 0x10, 7
"""The bit that says so, that of the sign in a number's last character, and the most characters."""


def counts_of(text: str) -> NDArray[np.int64]:
    """Reads run lengths as COCO's tools write them.

    Args:
        text: Such as ``"52203"``.

    Returns:
        int64, the run outside first.

    Raises:
        ValueError: If this is no such text. The numbers may still be negative, or fill no image.
    """
    codes = np.frombuffer(text.encode("utf-8"), np.uint8).astype(np.int64)
    if not codes.size:
        return codes
    bits = codes - _FIRST
    last = (bits & _MORE) == 0
    ends = np.flatnonzero(last)
    if codes.min() < _FIRST or codes.max() > _LAST or not last[-1]:
        raise ValueError("no text of run lengths")
    starts = np.concatenate([[0], ends[:-1] + 1])
    if (ends - starts).max() >= _PARTS:
        raise ValueError("a run length of too many characters")
    place = np.arange(len(codes)) - np.repeat(starts, ends - starts + 1)
    numbers = np.add.reduceat((bits & (_MORE - 1)) << (5 * place), starts)
    numbers -= np.where(bits[ends] & _SIGN, np.int64(1) << (5 * (ends - starts + 1)), 0)
    # From the fourth on a number is what its run exceeds the one two before by.
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return np.asarray(numbers, np.int64)
