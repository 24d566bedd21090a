"""Test images that a training learns from pixel by pixel, where teachers are sure enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from results.masks.counts import VOID
from results.masks.label_map import nearest
from results.masks.planes import Pixels
from results.masks.truth import Truth
from spaces.sections.pseudo import Taught
from spaces.trial_config import TrialConfig
from trainables.data.addition import PSEUDO_IMAGES, Addition
from trainables.data.mask_teachers import RIGHT, UNKNOWN, Labelled, MaskTeachers

if TYPE_CHECKING:
    from trainables.training.context import TrainingContext

FULL = 255
"""A probability of 1."""

FEWEST = 100
"""Pixels on which teachers have to be right often enough."""

Threshold = Callable[[NDArray[np.float64], NDArray[np.bool_]], float]


@dataclass(frozen=True, kw_only=True, eq=False)
class PseudoMasks:
    """Masks of test images, void where teachers are not sure enough.

    Attributes:
        said: What the teachers say.
        first: Row of the store of the first test image.
        least: int64 (classes,), smallest confidence that counts, in 255ths, by the class told.
    """

    said: Labelled
    first: int
    least: NDArray[np.int64]

    def __call__(self, row: int, shape: tuple[int, int]) -> Pixels:
        """The mask of a row of the store, uint8 (height, width) of this shape."""
        labels, confidence = (
            nearest(np.asarray(planes[row - self.first]), *shape)
            for planes in (self.said.labels, self.said.confidence)
        )
        return np.where(confidence >= self.least[labels], labels, np.uint8(VOID))

    @property
    def pixels(self) -> NDArray[np.int64]:
        """Pixels of each class in each test image, int64 (n, classes), at the teachers' size."""
        count = len(self.least)
        return np.stack(
            [
                np.bincount(labels[confidence >= self.least[labels]], minlength=count)
                for labels, confidence in zip(self.said.labels, self.said.confidence, strict=True)
            ]
        )


def pseudo_masks(
    config: TrialConfig,
    context: TrainingContext,
    teachers: MaskTeachers,
    thresholds: NDArray[np.float64],
) -> Addition:
    """The test images of which the teachers of a training's fold are sure of a pixel at least.

    Args:
        config: The training.
        context: Data, folds and task.
        teachers: Those of a promotion, which has a model of the fold.
        thresholds: (classes,), the confidence from which a pixel that is told as a class counts.
    """
    settings, said, truth = config.pseudo, teachers.of(config.run.fold), context.truth
    assert isinstance(settings, Taught)
    assert said is not None
    assert truth is not None
    least = np.ceil(np.minimum(thresholds, 2.0) * FULL - 1e-6).astype(np.int64)
    masks = PseudoMasks(said=said, first=int(context.test_rows[0]), least=least)
    pixels = masks.pixels
    taken = np.flatnonzero(pixels.sum(axis=1))
    sizes = said.labels.shapes.prod(axis=1)
    told = {
        PSEUDO_IMAGES: float(len(taken)),
        "train/pseudo_classes": float((pixels.sum(axis=0) > 0).sum()),
        "train/pseudo_pixels": float(pixels.sum() / max(1, sizes.sum())),
    }
    return Addition(
        rows=context.test_rows[taken],
        targets=np.full((len(taken), 1), settings.pseudo_weight, np.float32),
        strata=_rarest(pixels[taken] > 0, truth),
        told=told,
        masks=masks,
    )


def thresholds_of(
    teachers: MaskTeachers, rows: NDArray[np.int64], classes: int, threshold_of: Threshold
) -> NDArray[np.float64]:
    """From which confidence on pixels count, by class: some are told well, others never.

    Args:
        teachers: What they say of held-out images.
        rows: Which of these have a say.
        classes: Number of classes.
        threshold_of: From how sure they are of pixels, and whether they are right, to a threshold.

    Returns:
        (classes,), infinite where they are not right often enough, or on less than `FEWEST` pixels.
    """
    right = teachers.right[rows]
    known = right != UNKNOWN
    told, sure = teachers.labels[rows][known], teachers.confidence[rows][known] / FULL
    found = np.full(classes, np.inf)
    for c in range(classes):
        own = sure[told == c]
        threshold = threshold_of(own, right[known][told == c] == RIGHT)
        if (own >= threshold).sum() >= FEWEST:
            found[c] = threshold
    return found


def _rarest(occurs: NDArray[np.bool_], truth: Truth) -> NDArray[np.int64]:
    """Of the classes of each image, that which the fewest training images show, int64 (n,)."""
    images = (truth.pixels > 0).sum(axis=0)
    rank = np.where(occurs, images, len(truth.images) + 1)
    return np.asarray(rank.argmin(axis=1), np.int64)
