"""Masks that are probably wrong: where a confident prediction contradicts what is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

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

CERTAIN = np.uint8(255)
"""A probability of 1."""

CORE = 1
"""Pixels around the middle of the square that has to fit into a region: what is thinner is how
outlines differ."""


@dataclass(frozen=True, kw_only=True)
class Region:
    """A part of a mask that models contradict with confidence.

    Attributes:
        given: What most of it is in the mask, of `Truth.answers`.
        predicted: What it is taken for.
        pixels: Its size.
        share: The same as a share of the image.
        sureness: Mean probability of what is predicted.
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
    has to be likelier than all others together. Where classes overlap, that a class is there and
    that it is not are two that exclude each other.

    Args:
        predicted: Probabilities per pixel in 255ths, by models that did not see the image.
        truth: Masks as given, of the same images in the same order.

    Returns:
        Images with such a region, the most suspicious first.
    """
    limits = _confidence(predicted, truth)
    found = []
    for row, probabilities in enumerate(predicted):
        regions = [
            region
            for question in _questions(probabilities, truth, row)
            for region in _regions(question, limits[question.answers])
        ]
        if regions:
            regions.sort(key=lambda region: -region.pixels)
            found.append(MaskSuspect(row=row, regions=tuple(regions)))
    return sorted(found, key=lambda suspect: -suspect.share)


class _Question(NamedTuple):
    """What is asked at every pixel of an image, with answers that exclude each other.

    Attributes:
        answers: Those of `Truth.answers` that are possible.
        probabilities: Of each, uint8 (height, width, answers), in 255ths.
        mask: Which of these is true, uint8 (height, width), or `VOID`.
    """

    answers: slice
    probabilities: Pixels
    mask: Pixels


def _questions(probabilities: Pixels, truth: Truth, row: int) -> Iterator[_Question]:
    """Which class it is; or, where classes overlap, of each whether it is there."""
    mask = truth.actual(row)
    resized = at_size(probabilities, *mask.shape[:2])
    if not truth.overlapping:
        yield _Question(slice(0, len(truth.classes)), resized, mask)
        return
    for c in range(len(truth.classes)):
        there, drawn = resized[..., c], mask[..., c]
        either = np.stack([there, CERTAIN - there], axis=2)
        absent = np.where(drawn == VOID, np.uint8(VOID), np.uint8(1) - drawn)
        yield _Question(slice(2 * c, 2 * c + 2), either, absent)


def _confidence(predicted: Planes, truth: Truth) -> NDArray[np.float64]:
    """Mean probability of each answer over the pixels drawn so, in 255ths, (answers,)."""
    count = len(truth.answers)
    sums, pixels = np.zeros(count), np.zeros(count)
    for row, probabilities in enumerate(predicted):
        for answers, shares, mask in _questions(probabilities, truth, row):
            known, size = mask != VOID, shares.shape[2]
            labels = mask[known].astype(np.intp)
            own = np.take_along_axis(shares[known], labels[:, None], 1)
            sums[answers] += np.bincount(labels, own[:, 0], size)
            pixels[answers] += np.bincount(labels, minlength=size)
    means = sums / np.maximum(pixels, 1)
    return np.where(pixels > 0, np.maximum(means, CERTAIN / 2), np.inf)


def _regions(question: _Question, limits: NDArray[np.float64]) -> Iterator[Region]:
    """Connected regions that are contradicted."""
    first, probabilities, mask = question.answers.start, question.probabilities, question.mask
    told = probabilities.argmax(axis=2).astype(np.uint8)
    highest = probabilities.max(axis=2)
    wrong = (told != mask) & (mask != VOID) & (highest >= limits[told])
    smallest = max(FEWEST, SMALLEST * mask.size)
    square = np.ones((2 * CORE + 1, 2 * CORE + 1), np.uint8)
    for c in np.unique(told[wrong]).tolist():
        plane = np.asarray(wrong & (told == c)).view(np.uint8)
        core = cv2.morphologyEx(plane, cv2.MORPH_OPEN, square)
        _, parts, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=8)
        for number in np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= smallest).tolist():
            if not number:  # what is outside
                continue
            inside = parts == number
            left, top, width, height, pixels = stats[number].tolist()
            yield Region(
                given=first + int(np.bincount(mask[inside]).argmax()),
                predicted=first + c,
                pixels=pixels,
                share=pixels / mask.size,
                sureness=float(highest[inside].mean()) / CERTAIN,
                box=(left, top, left + width, top + height),
                runs=encode(inside, "column"),
            )
