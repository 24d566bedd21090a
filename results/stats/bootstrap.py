"""Resampling of images, by whole groups where there are any."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from results.metrics import Floats, Ints, Metric

CHUNK = 1_000_000
"""Images that are drawn at once: 8 MB."""

KEPT = 4_000_000
"""Counts up to which resamples are kept for the next estimate on the same images: 32 MB."""


def bootstrap_weights(
    images: int, draws: int, groups: NDArray[np.str_] | None = None, seed: int = 0
) -> NDArray[np.float64]:
    """How often each image is drawn.

    Args:
        images: Number of images.
        draws: Number of resamples.
        groups: str (images,); whole groups are drawn with replacement, since images of one group
            are not independent.
        seed: Of the draws.

    Returns:
        Whole numbers as float64 (draws, images); others read them, too.
    """
    if groups is None:
        return _drawn(images, draws, seed)
    unit = np.unique(groups, return_inverse=True)[1]
    return np.asarray(_drawn(int(unit.max()) + 1, draws, seed)[:, unit])


def _drawn(units: int, draws: int, seed: int) -> Floats:
    """How often each of some units is drawn, kept for the next estimate if that is not much."""
    return (_counts_kept if draws * units <= KEPT else _counts)(units, draws, seed)


def _counts(units: int, draws: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    counts = np.empty((draws, units))
    at_once = max(1, CHUNK // units)
    for first in range(0, draws, at_once):  # faster than multinomial counts
        some = counts[first : first + at_once]
        drawn = rng.integers(0, units, some.shape) + units * np.arange(len(some))[:, None]
        some[:] = np.bincount(drawn.ravel(), minlength=some.size).reshape(some.shape)
    counts.flags.writeable = False
    return counts


_counts_kept = functools.lru_cache(maxsize=4)(_counts)


def bootstrap_scores(
    metric: Metric,
    labels: Ints,
    predictions: Iterable[NDArray[np.floating]],
    draws: int,
    groups: NDArray[np.str_] | None = None,
    seed: int = 0,
) -> Floats:
    """Scores of several models on the same resamples, so that differences are paired.

    Args:
        metric: What to compute.
        labels: int (n,).
        predictions: Probabilities (n, classes) of each model.
        draws: Number of resamples.
        groups: str (n,), or None.
        seed: Of the draws.

    Returns:
        float64 (models, 1 + draws): the first column is of the images themselves.
    """
    return np.stack([*each_bootstrap(metric, labels, predictions, draws, groups, seed)])


def each_bootstrap(
    metric: Metric,
    labels: Ints,
    predictions: Iterable[NDArray[np.floating]],
    draws: int,
    groups: NDArray[np.str_] | None = None,
    seed: int = 0,
) -> Iterator[Floats]:
    """The same model by model, for as many as are asked for: float64 (1 + draws,) each."""
    every = np.vstack(
        [np.ones((1, len(labels))), bootstrap_weights(len(labels), draws, groups, seed)]
    )
    for p in predictions:
        yield metric.weighted(labels, p.astype(np.float64), every)
