"""A hold-out of the training images that look most like the test."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainables.data.folds import assign


def folds_by_likeness(
    likeness: NDArray[np.float64],
    strata: NDArray[np.int64],
    groups: NDArray[np.str_] | None,
    count: int,
) -> NDArray[np.int64]:
    """Holds out, in fold 0, what looks most like the test, and shares the rest out as usual.

    Every class gives the same share, so that the hold-out tells them all apart, and a group goes
    as a whole, by its mean likeness.

    Args:
        likeness: float (n,), how much each training image looks like a test image.
        strata: int (n,).
        groups: str (n,), or None.
        count: Number of folds.

    Returns:
        int64 (n,), the fold of each image.
    """
    _, unit = np.unique(np.arange(len(strata)) if groups is None else groups, return_inverse=True)
    sizes = np.bincount(unit)
    mean = np.bincount(unit, likeness) / sizes
    shares = np.zeros((len(sizes), int(strata.max()) + 1))
    np.add.at(shares, (unit, strata), 1)
    wanted = np.bincount(strata) / count
    held = np.zeros(shares.shape[1])
    fold = np.full(len(strata), -1)
    for candidate in np.argsort(-mean, kind="stable"):
        # It goes where it brings the classes nearer to their shares.
        gains = np.abs(wanted - held).sum() - np.abs(wanted - held - shares[candidate]).sum()
        if gains > 0:
            held += shares[candidate]
            fold[unit == candidate] = 0
    rest = fold != 0
    fold[rest] = 1
    if count > 2:
        left = None if groups is None else groups[rest]
        fold[rest] += assign(strata[rest], left, count - 1, seed=0)
    return fold
