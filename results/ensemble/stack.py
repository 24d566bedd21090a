"""Several models' predictions of the same images, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from results.ensemble.out_of_fold import OutOfFold
from results.masks.truth import Truth
from results.metrics import Ints
from results.predictions import Predictions
from results.tasks.task import Task
from spaces.errors import InputError

Block = NDArray[np.float32]
"""Probabilities (models, images, classes)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PredictionStack:
    """Out-of-fold and test predictions of some models.

    Attributes:
        names: Of the models.
        images: Training images by row; of masks the image of each pixel of a sample.
        labels: int64 (n,).
        folds: int64 (n,), the fold that held each image out.
        groups: str (n,), or None.
        oof: float32 (models, n, classes).
        tested: Test images; 0 if not all models predict them.
    """

    names: tuple[str, ...]
    images: tuple[str, ...]
    labels: Ints
    folds: Ints
    groups: NDArray[np.str_] | None
    oof: Block
    tested: int = 0

    @staticmethod
    def of(
        members: Mapping[str, tuple[OutOfFold, Predictions | None]],
        task: Task,
        truth: Truth | None = None,
    ) -> PredictionStack:
        """Puts models side by side; the first sets the order of images.

        Args:
            members: Out-of-fold and test predictions by name.
            task: What they are of.
            truth: True masks of the images; None without masks.

        Raises:
            InputError: For fewer than two models, or models that differ in classes, images or
                folds; the message names the model and what differs.
        """
        if len(members) < 2:
            raise InputError(
                f"a blend needs at least two models, got {', '.join(members) or 'none'}"
            )
        names = tuple(members)
        first, first_test = members[names[0]]
        for name, (oof, _) in members.items():
            _compare(name, oof, names[0], first)
        for name, (_, test) in members.items():
            if test is not None and first_test is not None and test.images != first_test.images:
                raise InputError(f"{name} predicts other test images than {names[0]}")
        found = [task.examples(o.labels, o.predictions, truth) for o, _ in members.values()]
        labels, _, rows = found[0]
        images = np.array(first.predictions.images, dtype=object)[rows]
        # Pixels of one image stand together where there are no groups of images.
        own = None if len(rows) == len(first.labels) else images.astype(np.str_)
        return PredictionStack(
            names=names,
            images=tuple(images.tolist()),
            labels=labels,
            folds=first.folds[rows],
            groups=own if first.groups is None else first.groups[rows],
            oof=np.stack([example.probabilities for example in found]),
            tested=min(0 if test is None else len(test.images) for _, test in members.values()),
        )

    @property
    def sampled(self) -> bool:
        """Whether rows are pixels, many of an image."""
        return len(set(self.images)) < len(self.images)

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Rows (n,) that did not choose the models: those of all folds but fold 0."""
        others = self.folds != 0
        return others if others.any() else np.ones(len(self.folds), dtype=bool)


def _compare(name: str, oof: OutOfFold, other: str, reference: OutOfFold) -> None:
    if oof.predictions.classes != reference.predictions.classes:
        odd = sorted(set(oof.predictions.classes) ^ set(reference.predictions.classes))
        what = f"in {', '.join(odd[:5])}" if odd else "in their order"
        raise InputError(f"{name} and {other} differ in classes: {what}")
    ours, theirs = set(oof.predictions.images), set(reference.predictions.images)
    if ours != theirs:
        few, count = (name, len(theirs - ours)) if theirs - ours else (other, len(ours - theirs))
        raise InputError(
            f"{name} and {other} have out-of-fold predictions of other images: {few} lacks "
            f"{count:,}; promote both on the same folds"
        )
    if oof.predictions.images != reference.predictions.images:
        raise InputError(f"{name} and {other} have their images in another order")
    if (oof.folds != reference.folds).any():
        raise InputError(f"{name} and {other} were trained on other folds")
