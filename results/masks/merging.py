"""Several models' predictions of the same images, or pixels, as one; an export carries this file.

So it imports nothing of this project.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

Merge = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""From probabilities (models, m, classes) to merged ones (m, classes)."""

AT_ONCE = 1 << 18
"""Pixels times classes that are merged together where classes overlap."""


How = Literal["mean", "geometric", "rank", "vote"]

TINY = 1e-7
"""What a probability of 0 counts as, where logarithms or shares are taken."""


@dataclass(frozen=True, kw_only=True)
class Blend:
    """How models are merged.

    Attributes:
        recipe: Name, one of `results.ensemble.recipes.RECIPES`.
        merge: ``mean`` (soft voting), ``geometric``, ``rank`` (average rank of an image within its
            class, as for ROC AUC) or ``vote`` (hard voting).
        weights: By model, summing to 1.
        biases: Logarithmic biases by class; empty for none.
        by_class: Weights by model and class, summing to 1 over the models, whose mean over classes
            the other weights then are; empty where they are the same for all classes.
    """

    recipe: str
    merge: How
    weights: tuple[float, ...]
    biases: tuple[float, ...] = ()
    by_class: tuple[tuple[float, ...], ...] = ()

    @staticmethod
    def mean(models: int) -> Blend:
        """The mean of so many models."""
        return Blend(recipe="mean", merge="mean", weights=(1 / models,) * models)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Blend:
        """What ``dataclasses.asdict`` gave, and JSON."""
        return Blend(
            recipe=data["recipe"],
            merge=data["merge"],
            weights=tuple(data["weights"]),
            biases=tuple(data["biases"]),
            by_class=tuple(map(tuple, data["by_class"])),
        )

    def apply(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """Merges predictions.

        Args:
            block: Probabilities (models, n, classes) of images that are ranked together: a fold,
                or the test set.

        Returns:
            Probabilities float32 (n, classes), rows summing to 1.
        """
        used = [i for i, w in enumerate(self.weights) if w > 0]
        merged: NDArray[np.float32] = np.zeros(block.shape[1:], np.float32)
        weights = np.array(self.by_class or [[w] for w in self.weights], np.float32)
        for i in used:
            merged += weights[i] * _prepared(self.merge, block[i])
        if self.merge == "geometric":
            merged = np.asarray(np.exp(merged - merged.max(axis=1, keepdims=True)))
        total = merged.sum(axis=1, keepdims=True)
        if self.by_class:  # what no model of its class believes in
            total = np.maximum(total, np.float32(TINY))
        merged /= total
        return apply_class_biases(merged, np.array(self.biases)) if self.biases else merged


def _prepared(merge: How, p: NDArray[np.float32]) -> NDArray[np.float32]:
    """One model's predictions in the form that is averaged."""
    if merge == "geometric":
        return np.asarray(np.log(np.maximum(p, TINY)))
    if merge == "rank":
        import scipy  # here, since exports go without

        return np.asarray(scipy.stats.rankdata(p, axis=0) / len(p), np.float32)
    if merge == "vote":
        return np.asarray(np.eye(p.shape[1], dtype=np.float32)[p.argmax(axis=1)])
    return p


def apply_class_biases(
    probabilities: NDArray[np.floating], biases: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Probabilities (n, classes) with the biases in them, rows summing to 1."""
    if not biases.any():
        return probabilities.astype(np.float32)
    moved = np.maximum(probabilities, TINY) * np.exp(biases)
    return np.asarray(moved / moved.sum(axis=1, keepdims=True), np.float32)


def merged_pixels(block: Pixels, merge: Merge, overlapping: bool) -> Pixels:
    """Several models' predictions of an image's pixels as one.

    Args:
        block: Probabilities in 255ths, uint8 (models, height, width, classes).
        merge: Of probabilities of classes that exclude one another.
        overlapping: Whether a pixel can be of several classes: each is then merged by itself, as
            one of the two that are possible.

    Returns:
        uint8 (height, width, classes).
    """
    models, height, width, classes = block.shape
    shares = block.reshape(models, -1, classes).astype(np.float32) / np.float32(255)
    found = _each(shares, merge) if overlapping else merge(shares)
    return np.rint(found * 255).astype(np.uint8).reshape(height, width, classes)


def _each(shares: NDArray[np.float32], merge: Merge) -> NDArray[np.float32]:
    """Every class's own share of what is merged of the two that are possible."""
    _, count, classes = shares.shape
    found = np.empty((count, classes), np.float32)
    each, step = np.arange(classes), AT_ONCE // classes
    for first in range(0, count, step):
        block = paired(shares[:, first : first + step])
        merged = merge(block.reshape(len(block), -1, 2 * classes))
        both = merged.reshape(-1, classes, classes, 2)[:, each, each]
        found[first : first + step] = both[..., 0] / both.sum(axis=2)
    return found


def paired(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """From probabilities of classes (…, classes) to (…, classes, 2 x classes): of each class that
    it is there, and that it is not."""
    classes = shares.shape[-1]
    found = np.zeros((*shares.shape, classes, 2), np.float32)
    each = np.arange(classes)
    found[..., each, each, 0], found[..., each, each, 1] = shares, 1 - shares
    return found.reshape(*shares.shape, 2 * classes)
