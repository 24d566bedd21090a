"""Some of many images, with a share of every class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def even_sample(rows: Ints, strata: Ints, most: int, seed: int) -> Ints:
    """Draws rows so that every stratum has its share, and at least one while there is room.

    A larger sample of the same rows and seed holds a smaller one.

    Args:
        rows: int64 (n,).
        strata: int64 (n,), of the rows.
        most: Rows at most.
        seed: Of the draw.

    Returns:
        int64, in order.
    """
    order = np.random.default_rng(seed).permutation(len(rows))
    place = np.empty(len(rows))
    for stratum in np.unique(strata):
        members = order[strata[order] == stratum]
        place[members] = np.arange(len(members)) / len(members)
    return np.sort(rows[np.argsort(place, kind="stable")[:most]])
