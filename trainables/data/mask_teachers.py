"""What a promotion's models say of masks: of test images pixel by pixel, and how often they err."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from results.masks.planes import Pixels, Planes
from results.masks.truth import Truth
from trainables.data.stored_teachers import StoredTeachers

WRONG, RIGHT, UNKNOWN = range(3)
"""Whether teachers are right on a pixel."""

HELD_OUT = ("labels", "confidence", "right")
"""What is told of held-out images."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Labelled:
    """What the models of a fold say of the test images, in the order of the contest.

    Attributes:
        labels: What is told of every pixel, as `Truth.told` numbers it, each uint8 (height, width).
        confidence: How surely, in 255ths, each the same.
        shares: Probabilities of classes, in 255ths, each uint8 (height, width, classes); None where
            nobody learns them.
    """

    labels: Planes
    confidence: Planes
    shares: Planes | None = None

    @staticmethod
    def of(masks: Planes, truth: Truth, *, soft: bool = False) -> Labelled:
        """What probabilities tell.

        Args:
            masks: In 255ths, each uint8 (height, width, classes).
            truth: The contest's masks.
            soft: Whether they are learned themselves.
        """
        return Labelled(
            labels=Planes.of(truth.told(mask)[0] for mask in masks),
            confidence=Planes.of(truth.told(mask)[1] for mask in masks),
            shares=masks if soft else None,
        )

    @property
    def planes(self) -> dict[str, Planes]:
        """All that there is, by name."""
        found = {"labels": self.labels, "confidence": self.confidence}
        return found if self.shares is None else {**found, "shares": self.shares}


@dataclass(frozen=True, kw_only=True, eq=False)
class MaskTeachers(StoredTeachers):
    """What a promotion's models say, the mean over those of a fold.

    Attributes:
        test: Of the test images, by fold that has a model.
        labels: uint8 (training images, pixels), what the models of the fold that holds an image out
            tell of some of its pixels, as `Truth.told` numbers it.
        confidence: uint8, the same shape, how sure they are of it, in 255ths.
        right: uint8, the same shape, whether they are right: `WRONG`, `RIGHT`, or `UNKNOWN` where
            nothing is known, or that fold has no model.
    """

    test: Mapping[int, Labelled]
    labels: Pixels
    confidence: Pixels
    right: Pixels

    @property
    def folds(self) -> NDArray[np.int64]:
        """Folds that have a model, int64 (k,)."""
        return np.array(sorted(self.test), np.int64)

    def of(self, fold: int) -> Labelled | None:
        """What the models of a fold say of the test images; None if it has none."""
        return self.test.get(fold)

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything by name."""
        arrays: dict[str, NDArray[Any]] = {"folds": self.folds}
        arrays |= {name: getattr(self, name) for name in HELD_OUT}
        for fold, said in sorted(self.test.items()):
            for name, planes in said.planes.items():
                parts = planes.arrays().items()
                arrays |= {f"{fold}:{name}:{part}": array for part, array in parts}
        return arrays

    @classmethod
    def of_arrays(cls, path: Path, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Takes `arrays` back; planes are mapped from the file."""
        names = {name.split(":")[1] for name in arrays if ":" in name}
        test = {
            fold: Labelled(**{n: Planes.mapped(path, f"{fold}:{n}:") for n in sorted(names)})
            for fold in arrays["folds"].tolist()
        }
        return cls(test=test, **{name: arrays[name] for name in HELD_OUT})
