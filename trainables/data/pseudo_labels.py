"""Test images that a training learns from, by name; a new kind is a function and a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spaces.errors import InputError
from spaces.sections.pseudo import SOFT, Taught
from spaces.trial_config import TrialConfig
from trainables.data.addition import NOTHING, PSEUDO_IMAGES, Addition
from trainables.data.mask_teachers import MaskTeachers
from trainables.data.pseudo_masks import pseudo_masks, thresholds_of
from trainables.data.teachers import Teachers
from trainables.parts import Parts

if TYPE_CHECKING:
    from trainables.training.context import TrainingContext

ACCURATE = 0.95
"""How often teachers have to be right on what they are as sure of as of what is taken."""

Probabilities = NDArray[np.float32]

Label = Callable[[TrialConfig, "TrainingContext"], Addition]
"""From configuration and context to the test images that are taken, and their targets."""


def threshold_of(confidence: NDArray[np.floating], right: NDArray[np.bool_]) -> float:
    """The lowest confidence from which on teachers are right in `ACCURATE` of the cases.

    Args:
        confidence: float (n,), how sure they are of images, or pixels, that they did not train on.
        right: bool (n,), whether they are right.

    Returns:
        The confidence; infinite if there is none.
    """
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(right[order]) / np.arange(1, len(right) + 1)
    sorted_ = confidence[order]
    whole = np.append(sorted_[1:] != sorted_[:-1], True)  # equally sure images go together
    enough = np.flatnonzero(whole & (accuracy >= ACCURATE))
    return float(sorted_[enough[-1]]) if len(enough) else float("inf")


def most_certain(
    said: Probabilities, threshold: float, most: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Images of which teachers are sure enough, the surest of each class.

    Args:
        said: float (n, classes).
        threshold: Confidence at least.
        most: int (classes,), images of a class at most.

    Returns:
        int (taken,), in order.
    """
    confidence, told = said.max(axis=1), said.argmax(axis=1)
    order = np.argsort(-confidence, kind="stable")
    order = order[confidence[order] >= threshold]
    taken = [order[told[order] == c][:limit] for c, limit in enumerate(most.tolist())]
    return np.sort(np.concatenate(taken)).astype(np.int64)


def _none(config: TrialConfig, context: TrainingContext) -> Addition:
    return NOTHING


def _soft(config: TrialConfig, context: TrainingContext) -> Addition:
    return _taken(config, context, lambda said: said / said.sum(axis=1, keepdims=True))


def _hard(config: TrialConfig, context: TrainingContext) -> Addition:
    one = np.eye(len(context.classes), dtype=np.float32)
    return _taken(config, context, lambda said: one[said.argmax(axis=1)])


def _taken(
    config: TrialConfig,
    context: TrainingContext,
    target: Callable[[Probabilities], Probabilities],
) -> Addition:
    """What the teachers of the training's own fold are sure enough of, of images or pixels."""
    teachers = _teachers(config, context)
    if isinstance(teachers, Teachers):
        return _images(config, context, teachers, target)
    assert context.truth is not None
    numbers = len(context.truth.members)
    thresholds = np.full(numbers, _asked(config))
    if not _asked(config):
        others = _others(config, context, teachers)
        thresholds = thresholds_of(teachers, others, numbers, threshold_of)
    return pseudo_masks(config, context, teachers, thresholds)


def _images(
    config: TrialConfig,
    context: TrainingContext,
    teachers: Teachers,
    target: Callable[[Probabilities], Probabilities],
) -> Addition:
    """Images that teachers are sure enough of.

    The threshold is read off other folds, so that no label of the held-out images has a say in it;
    a class gets as many images at most as it has labelled ones to train on.
    """
    settings, fold, folds = config.pseudo, config.run.fold, context.folds
    assert isinstance(settings, Taught)
    said = teachers.of(fold)
    assert said is not None
    others = _others(config, context, teachers)
    held_out = teachers.held_out[others]
    right = held_out.argmax(axis=1) == folds.labels[others]
    threshold = _asked(config) or threshold_of(held_out.max(axis=1), right)
    trained = folds.labels[folds.trained_on(fold)]
    most = np.bincount(trained, minlength=len(context.classes))
    picked = most_certain(said, threshold, most)
    told = {PSEUDO_IMAGES: float(len(picked))}
    if np.isfinite(threshold):
        told["train/pseudo_threshold"] = threshold
    return Addition(
        rows=context.test_rows[picked],
        targets=settings.pseudo_weight * target(said[picked]).astype(np.float32),
        strata=said[picked].argmax(axis=1).astype(np.int64),
        told=told,
    )


def _teachers(config: TrialConfig, context: TrainingContext) -> Teachers | MaskTeachers:
    """Teachers that have a model of the training's own fold.

    Raises:
        InputError: If there are none.
    """
    settings, fold = config.pseudo, config.run.fold
    assert isinstance(settings, Taught)
    teachers = context.teachers.get(settings.teachers)
    if teachers is None:
        raise InputError(
            f"pseudo={settings.kind} needs the predictions of a promotion: fix.teachers=<its name>"
        )
    if teachers.of(fold) is None:
        raise InputError(
            f"teachers={settings.teachers} has no model of fold {fold}, and those of other folds "
            "were trained on its images: promote on all folds"
        )
    return teachers


def _others(
    config: TrialConfig, context: TrainingContext, teachers: Teachers | MaskTeachers
) -> NDArray[np.int64]:
    """Images of the teachers' other folds, of which no label is held out."""
    fold = context.folds.fold
    return np.flatnonzero(np.isin(fold, teachers.folds) & (fold != config.run.fold))


def _asked(config: TrialConfig) -> float:
    """The threshold that is set by hand; 0 for none."""
    assert isinstance(config.pseudo, Taught)
    return config.pseudo.pseudo_threshold


PSEUDO_LABELS: Parts[Label] = Parts("pseudo", {"none": _none, SOFT: _soft, "hard": _hard})
