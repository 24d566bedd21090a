"""Masks that are probably wrong: where a confident prediction contradicts what is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from results.masks.counts import VOID
from results.masks.label_map import at_size
from results.masks.planes import Pixels, Planes
from results.masks.rle import encode
from results.masks.truth import Truth

SMALLEST = 0.001
"""Share of an image from which a region counts."""

FEWEST = 12
"""Pixels that it has at least."""

CERTAIN = 255
"""A probability of 1."""

CORE = 1
"""Pixels around the middle of the square that has to fit into a region: what is thinner is how
outlines differ."""


@dataclass(frozen=True, kw_only=True)
class Region:
    """A part of a mask that models contradict with confidence.

    Attributes:
        given: The class that most of it has in the mask.
        predicted: The class that it is taken for.
        pixels: Its size.
        share: The same as a share of the image.
        sureness: Mean probability of the predicted class.
        box: Left, top, right and bottom in pixels.
        runs: Its pixels, as run lengths down the columns.
    """

    given: int
    predicted: int
    pixels: int
    share: float
    sureness: float
    box: tuple[int, int, int, int]
    runs: str


@dataclass(frozen=True, kw_only=True)
class MaskSuspect:
    """An image whose mask is probably wrong.

    Attributes:
        row: Of the predictions.
        regions: Where, the largest first.
    """

    row: int
    regions: tuple[Region, ...]

    @property
    def share(self) -> float:
        """Share of the image that is contradicted, weighted by how surely."""
        return sum(region.share * region.sureness for region in self.regions)


def find_mask_suspects(predicted: Planes, truth: Truth) -> list[MaskSuspect]:
    """Finds regions in which another class is predicted with confidence than is drawn.

    As in confident learning (Northcutt, Jiang and Chuang, JAIR 70, 2021), a class is predicted with
    confidence where its probability is above its mean over the pixels that are drawn as it; and it
    has to be likelier than all others together.

    Args:
        predicted: Probabilities per pixel in 255ths, by models that did not see the image.
        truth: Masks as given, of the same images in the same order.

    Returns:
        Images with such a region, the most suspicious first.
    """
    limits = _confidence(predicted, truth)
    found = []
    for row, (probabilities, mask) in enumerate(zip(predicted, truth.masks, strict=True)):
        regions = _regions(at_size(probabilities, *mask.shape), mask, limits)
        if regions:
            found.append(MaskSuspect(row=row, regions=regions))
    return sorted(found, key=lambda suspect: -suspect.share)


def _confidence(predicted: Planes, truth: Truth) -> NDArray[np.float64]:
    """Mean probability of each class over the pixels drawn as it, in 255ths, (classes,)."""
    count = len(truth.classes)
    sums, pixels = np.zeros(count), np.zeros(count)
    for probabilities, mask in zip(predicted, truth.masks, strict=True):
        known = mask != VOID
        labels = mask[known].astype(np.intp)
        own = np.take_along_axis(at_size(probabilities, *mask.shape)[known], labels[:, None], 1)
        sums += np.bincount(labels, own[:, 0], count)
        pixels += np.bincount(labels, minlength=count)
    means = sums / np.maximum(pixels, 1)
    return np.where(pixels > 0, np.maximum(means, CERTAIN / 2), np.inf)


def _regions(
    probabilities: Pixels, mask: Pixels, limits: NDArray[np.float64]
) -> tuple[Region, ...]:
    """Connected regions that are contradicted, the largest first."""
    told = probabilities.argmax(axis=2).astype(np.uint8)
    highest = probabilities.max(axis=2)
    wrong = (told != mask) & (mask != VOID) & (highest >= limits[told])
    smallest = max(FEWEST, SMALLEST * mask.size)
    square = np.ones((2 * CORE + 1, 2 * CORE + 1), np.uint8)
    regions = []
    for c in np.unique(told[wrong]).tolist():
        plane = np.asarray(wrong & (told == c)).view(np.uint8)
        core = cv2.morphologyEx(plane, cv2.MORPH_OPEN, square)
        _, parts, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=8)
        for number in np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= smallest).tolist():
            if not number:  # what is outside
                continue
            inside = parts == number
            left, top, width, height, pixels = stats[number].tolist()
            regions.append(
                Region(
                    given=int(np.bincount(mask[inside]).argmax()),
                    predicted=c,
                    pixels=pixels,
                    share=pixels / mask.size,
                    sureness=float(highest[inside].mean()) / CERTAIN,
                    box=(left, top, left + width, top + height),
                    runs=encode(inside, "column"),
                )
            )
    return tuple(sorted(regions, key=lambda region: -region.pixels))
