"""The images of one training, with what it learns of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spaces.sections.labels import RELABEL
from spaces.sections.pseudo import SOFT
from spaces.trial_config import TrialConfig
from trainables.data.addition import PSEUDO_IMAGES, Addition, MaskOf
from trainables.data.extra import EXTRAS
from trainables.data.labellings import labelled
from trainables.data.mask_corrections import MaskCorrections
from trainables.data.pixel_targets import pixel_targets
from trainables.data.pseudo_labels import PSEUDO_LABELS
from trainables.data.soft_masks import CertainMasks
from trainables.data.weightings import class_weights

if TYPE_CHECKING:
    from trainables.training.context import TrainingContext


Corrected = Callable[[int, NDArray[np.uint8]], NDArray[np.uint8]]


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingSet:
    """The images of one training, with what it learns of them.

    Targets may be soft and weighted: those of an image that counts half add up to half. Mixing
    images mixes their targets, weights included.

    Attributes:
        rows: int64 (n,), rows of the image store that are trained on.
        targets: float32 (store rows, …), what a loss compares outputs with, by row of the store.
        strata: int64 (store rows,), what a sampling balances, by row of the store.
        groups: int64 (store rows,), numbers of groups, by row of the store; None without groups.
        pixels: Targets of a pixel by its number in masks, as of `pixel_targets`; None where targets
            are of whole images.
        told: What the training's reports say of its images, by the name of a metric.
        masks: Of rows that were added, as `Addition` has them; None where none were.
        corrected: From a row and its mask to the mask that is learned; None for that as it is.
    """

    rows: NDArray[np.int64]
    targets: NDArray[np.float32]
    strata: NDArray[np.int64]
    groups: NDArray[np.int64] | None = None
    pixels: NDArray[np.float32] | None = None
    told: Mapping[str, float] = field(default_factory=dict)
    masks: MaskOf | None = None
    corrected: Corrected | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of it."""
        if self.told.get(PSEUDO_IMAGES) == 0:
            return ("its teachers are sure enough of no test image: it trains as with pseudo=none",)
        return ()


def training_set(config: TrialConfig, context: TrainingContext) -> TrainingSet:
    """What a training learns from: the images of all folds but its own, with their labels.

    Of images whose label was corrected it learns what the section ``labels`` says.

    What the configuration adds to them is never one of the contest's training images.

    Args:
        config: The training.
        context: Data, folds and task.

    Raises:
        InputError: Where it asks for images that are not there.
    """
    folds, task = context.folds, context.task
    labels, counts = labelled(config, folds.labels, context.corrections)
    rows, targets = folds.trained_on(config.run.fold), task.targets(labels, len(context.classes))
    learned = TrainingSet(
        rows=rows[counts[rows] > 0],
        targets=targets * counts.reshape(-1, *[1] * (targets.ndim - 1)),
        strata=labels,
        groups=None if folds.groups is None else np.unique(folds.groups, return_inverse=True)[1],
    )
    extra = EXTRAS.of(config.extra)(config, context)
    pseudo = PSEUDO_LABELS.of(config.pseudo)(config, context)
    images = len(context.store.images)
    learned = _with(_with(learned, extra, images), pseudo, images)
    if context.truth is None:
        return _weighted(config, learned)
    truth, changed = context.truth, context.corrections
    corrected: Corrected | None = None
    if isinstance(changed, MaskCorrections) and config.labels.kind == RELABEL:
        corrected = changed.corrected
        if changed.sets != truth.sets:
            truth = replace(truth, sets=changed.sets)
    if config.pseudo.kind == SOFT and learned.masks is not None:
        corrected = CertainMasks(members=truth.members, corrected=corrected)
    pixels = pixel_targets(config, truth, learned.rows)
    return replace(learned, pixels=pixels, corrected=corrected)


def _with(learned: TrainingSet, added: Addition, images: int) -> TrainingSet:
    """The same with further images, which have one group in common.

    Args:
        learned: What is trained on without them.
        added: The further ones.
        images: Rows of the store.
    """
    if not len(added.rows):
        return replace(learned, told={**learned.told, **added.told})

    def longer(values: NDArray[Any], further: Any) -> NDArray[Any]:
        rest = np.zeros((images - len(values), *values.shape[1:]), values.dtype)
        found = np.concatenate([values, rest])
        found[added.rows] = further
        return found

    groups = learned.groups
    return TrainingSet(
        rows=np.concatenate([learned.rows, added.rows]),
        targets=longer(learned.targets, added.targets),
        strata=longer(learned.strata, added.strata),
        groups=None if groups is None else longer(groups, groups.max() + 1),
        told={**learned.told, **added.told},
        masks=added.masks or learned.masks,
    )


def _weighted(config: TrialConfig, learned: TrainingSet) -> TrainingSet:
    """The same with the weights of classes, of which only images that are trained on tell."""
    rows, targets = learned.rows, learned.targets.copy()
    counted = targets[rows].reshape(len(rows), -1).sum(axis=1, dtype=np.float64)
    factors = class_weights(config, learned.strata[rows], counted)
    targets[rows] *= factors.astype(np.float32).reshape(-1, *[1] * (targets.ndim - 1))
    return replace(learned, targets=targets)
