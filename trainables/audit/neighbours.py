"""Pairs of images that are nearly the same, found without comparing all with all."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from trainables.data.fingerprints import Fingerprints

BITS = 6
"""Bits of 64 in which the perceptual hashes of near duplicates may differ."""

ALIKE = 8.0
"""Largest root mean square difference of their thumbnails, of 255: images with little in them
have similar hashes, too."""

CROWD = 30
"""Images of one hash that are compared each with each; of more, all with the first."""

_COMPARED = 1 << 16


def near_duplicates(seen: Fingerprints, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs of rows whose pictures are nearly the same: resized, or compressed anew.

    Args:
        seen: Of all images.
        rows: Which of them are compared.

    Returns:
        int64 (pairs, 2), the smaller row first, sorted.
    """
    hashes, which = np.unique(seen.hashes[rows], return_inverse=True)
    order = np.argsort(which, kind="stable")
    starts = np.searchsorted(which[order], np.arange(1, len(hashes)))
    members = np.split(rows[order], starts)
    parts = [np.zeros((0, 2), np.int64)]
    parts += [_within(m) for m in members if len(m) > 1]
    parts += [_between(members[a], members[b]) for a, b in close_hashes(hashes)]
    found = np.sort(np.concatenate(parts), axis=1)
    alike = [_alike(seen.thumbnails, p) for p in _slices(found)]
    return np.unique(found[np.concatenate([np.zeros(0, bool), *alike])], axis=0)


def close_hashes(hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Pairs of different hashes that differ in at most `BITS` bits.

    Two such hashes are equal in one of `BITS` + 1 bands of bits, so that only hashes with an equal
    band are compared.

    Args:
        hashes: uint64 (n,), no two the same.

    Returns:
        int64 (pairs, 2).
    """
    edges = np.linspace(0, 64, BITS + 2).round().astype(np.uint64)
    found = [np.zeros((0, 2), np.int64)]
    for low, high in pairwise(edges):
        band = (hashes >> low) & np.uint64((1 << int(high - low)) - 1)
        order = np.argsort(band, kind="stable")
        sorted_band, sorted_hashes = band[order], hashes[order]
        here = np.arange(len(order) - 1)
        step = 1
        while len(here):  # each with the next of its band, with the one after that, …
            here = here[here + step < len(order)]
            here = here[sorted_band[here] == sorted_band[here + step]]
            apart = np.bitwise_count(sorted_hashes[here] ^ sorted_hashes[here + step])
            near = here[apart <= BITS]
            found.append(np.stack([order[near], order[near + step]], axis=1))
            step += 1
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


def _within(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    if len(rows) > CROWD:
        return np.stack([np.full(len(rows) - 1, rows[0]), rows[1:]], axis=1)
    one, other = np.triu_indices(len(rows), 1)
    return np.stack([rows[one], rows[other]], axis=1)


def _between(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    a, b = np.meshgrid(one[:CROWD], other[:CROWD])
    return np.stack([a.ravel(), b.ravel()], axis=1)


def _slices(pairs: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(pairs), _COMPARED):
        yield pairs[start : start + _COMPARED]


def _alike(thumbnails: NDArray[np.uint8], pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    one, other = (thumbnails[pairs[:, k]].astype(np.float32) for k in (0, 1))
    return np.asarray(((one - other) ** 2).mean(axis=(1, 2, 3)) <= ALIKE**2)
