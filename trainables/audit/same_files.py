"""Files that are byte for byte the same, or not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def same_files(digests: Sequence[str]) -> NDArray[np.int64]:
    """Pairs of rows of one file under two names.

    Args:
        digests: Of the files of all images.

    Returns:
        int64 (pairs, 2): each with the first row of that file.
    """
    first: dict[str, int] = {}
    pairs = [
        (first[digest], row)
        for row, digest in enumerate(digests)
        if first.setdefault(digest, row) != row
    ]
    return np.array(pairs, np.int64).reshape(-1, 2)


def other_files(pairs: NDArray[np.int64], digests: Sequence[str]) -> NDArray[np.int64]:
    """Pairs of rows, int64 (pairs, 2), whose files are not byte for byte the same.

    Args:
        pairs: Of rows.
        digests: Of the files of all images.
    """
    files = np.array(digests)
    found: NDArray[np.int64] = pairs[files[pairs[:, 0]] != files[pairs[:, 1]]]
    return found
