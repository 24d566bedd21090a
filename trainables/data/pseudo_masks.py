"""Test images that a training learns from pixel by pixel, where teachers are sure enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from results.masks.counts import VOID
from results.masks.label_map import nearest
from results.masks.planes import Pixels, Planes
from spaces.sections.pseudo import SOFT, Taught
from spaces.trial_config import TrialConfig
from trainables.data.addition import PSEUDO_IMAGES, Addition
from trainables.data.mask_teachers import RIGHT, UNKNOWN, Labelled, MaskTeachers
from trainables.data.soft_masks import FULL, soft_mask

if TYPE_CHECKING:
    from trainables.training.context import TrainingContext

FEWEST = 100
"""Pixels on which teachers have to be right often enough."""

Threshold = Callable[[NDArray[np.float64], NDArray[np.bool_]], float]


@dataclass(frozen=True, kw_only=True, eq=False)
class PseudoMasks:
    """Masks of test images, void where teachers are not sure enough.

    Attributes:
        said: What the teachers say.
        first: Row of the store of the first test image.
        least: int64 (`VOID` + 1,), smallest confidence that counts, in 255ths, by the number told.
        shares: Probabilities of classes, where they are learned in place of what they tell.
    """

    said: Labelled
    first: int
    least: NDArray[np.int64]
    shares: Planes | None

    def __call__(self, row: int, shape: tuple[int, int]) -> Pixels:
        """The mask of a row of the store, uint8 (height, width) of this shape, or a `soft_mask`."""
        labels, confidence = (
            nearest(np.asarray(planes[row - self.first]), *shape)
            for planes in (self.said.labels, self.said.confidence)
        )
        numbers = np.where(confidence >= self.least[labels], labels, np.uint8(VOID))
        if self.shares is None:
            return numbers
        return soft_mask(numbers, nearest(np.asarray(self.shares[row - self.first]), *shape))

    @property
    def pixels(self) -> NDArray[np.int64]:
        """Pixels of each number in each test image, int64 (n, `VOID`), at the teachers' size."""
        return np.stack(
            [
                np.bincount(labels[confidence >= self.least[labels]], minlength=VOID)
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
        thresholds: (numbers,), the confidence from which a pixel counts that is told as of a
            number in masks: a class, or a set of classes.
    """
    settings, said, truth = config.pseudo, teachers.of(config.run.fold), context.truth
    assert isinstance(settings, Taught)
    assert said is not None
    assert truth is not None
    numbers, labelled = len(truth.members), context.folds.trained_on(config.run.fold)
    least = np.full(VOID + 1, 2 * FULL, np.int64)
    least[:numbers] = np.ceil(np.minimum(thresholds, 2.0) * FULL - 1e-6)
    masks = PseudoMasks(
        said=said,
        first=int(context.test_rows[0]),
        least=least,
        shares=said.shares if settings.kind == SOFT else None,
    )
    pixels = masks.pixels
    taken = np.flatnonzero(pixels.sum(axis=1))
    occurs = pixels[:, :numbers] @ truth.members > 0
    sizes = said.labels.shapes.prod(axis=1)
    told = {
        PSEUDO_IMAGES: float(len(taken)),
        "train/pseudo_classes": float(occurs.any(axis=0).sum()),
        "train/pseudo_pixels": float(pixels.sum() / max(1, sizes.sum())),
    }
    return Addition(
        rows=context.test_rows[taken],
        targets=np.full((len(taken), 1), settings.pseudo_weight, np.float32),
        strata=_rarest(
            occurs[taken],
            truth.pixels[labelled] > 0,
            int(np.bincount(context.folds.labels[labelled]).argmax()),
        ),
        told=told,
        masks=masks,
    )


def thresholds_of(
    teachers: MaskTeachers, rows: NDArray[np.int64], numbers: int, threshold_of: Threshold
) -> NDArray[np.float64]:
    """From which confidence on pixels count, by the number told: some are told well, others never.

    Where classes overlap, a number stands for a set of them, and is right where all of it is.

    Args:
        teachers: What they say of held-out images.
        rows: Which of these have a say.
        numbers: How many there are in masks.
        threshold_of: From how sure they are of pixels, and whether they are right, to a threshold.

    Returns:
        (numbers,), infinite where they are not right often enough, or on less than `FEWEST` pixels.
    """
    right = teachers.right[rows]
    known = right != UNKNOWN
    told, sure = teachers.labels[rows][known], teachers.confidence[rows][known] / FULL
    found = np.full(numbers, np.inf)
    for number in range(numbers):
        own = sure[told == number]
        threshold = threshold_of(own, right[known][told == number] == RIGHT)
        if (own >= threshold).sum() >= FEWEST:
            found[number] = threshold
    return found


def _rarest(
    occurs: NDArray[np.bool_], labelled: NDArray[np.bool_], empty: int
) -> NDArray[np.int64]:
    """Of the classes of each image, that which the fewest labelled images show, int64 (n,).

    Args:
        occurs: bool (n, classes).
        labelled: The same of the labelled images that are trained on, (m, classes).
        empty: What stands for an image that shows none.
    """
    images = labelled.sum(axis=0)
    rank = np.where(occurs, images, len(labelled) + 1)
    return np.where(occurs.any(axis=1), rank.argmin(axis=1), empty).astype(np.int64)
