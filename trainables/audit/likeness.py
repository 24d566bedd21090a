"""A hold-out of the training images that look most like the test."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spaces.errors import InputError

Floats = NDArray[np.float64]


def likest(
    likeness: Floats,
    strata: NDArray[np.int64],
    groups: NDArray[np.str_] | None,
    count: int,
) -> NDArray[np.bool_]:
    """Which images to hold out: of every class a share, those that look most like the test.

    A group goes as a whole, by its mean likeness, wherever it brings the classes nearer to their
    shares. Every class is held out at least once, by the group that oversteps the shares least if
    none fits, and keeps enough images, or groups, for the other folds.

    Args:
        likeness: float (n,), how much each training image looks like a test image.
        strata: int (n,).
        groups: str (n,), or None.
        count: Number of folds, which says how large the hold-out is.

    Returns:
        bool (n,).

    Raises:
        InputError: If whole groups leave a class on one side.
    """
    _, unit = np.unique(np.arange(len(strata)) if groups is None else groups, return_inverse=True)
    sizes = np.bincount(unit)
    mean = np.bincount(unit, likeness) / sizes
    shares = np.zeros((len(sizes), int(strata.max()) + 1))
    np.add.at(shares, (unit, strata), 1)
    wanted = shares.sum(axis=0) / count
    left = (shares > 0).sum(axis=0)
    held = np.zeros(shares.shape[1])
    taken = np.zeros(len(sizes), bool)

    def gain(candidate: int) -> float:
        """By how much it brings the classes nearer to their shares."""
        return float(np.abs(wanted - held).sum() - np.abs(wanted - held - shares[candidate]).sum())

    def take(candidate: int, least: int) -> bool:
        """Takes it, unless that leaves one of its classes with fewer than ``least`` others."""
        there = shares[candidate] > 0
        if (left[there] <= least).any():
            return False
        left[there] -= 1
        held[:] += shares[candidate]
        taken[candidate] = True
        return True

    order = np.argsort(-mean, kind="stable").tolist()
    for candidate in order:
        if gain(candidate) > 0:
            take(candidate, count - 1)
    for stratum in np.flatnonzero((held == 0) & (wanted > 0)).tolist():
        if held[stratum]:  # by what another class had to take
            continue
        with_it = sorted((i for i in order if shares[i, stratum]), key=gain, reverse=True)
        if not any(take(i, least) for least in (count - 1, 1) for i in with_it):
            raise InputError(
                "holdout=test_like: whole groups leave a class on one side of the split; "
                "group images otherwise, or hold out a column of your own"
            )
    return taken[unit]
