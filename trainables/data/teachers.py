"""What a promotion's models say: of test images, fold by fold, and of images held out from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from trainables.data.stored_teachers import StoredTeachers


@dataclass(frozen=True, kw_only=True, eq=False)
class Teachers(StoredTeachers):
    """What a promotion's models say, the mean over those of a fold.

    Attributes:
        folds: int64 (k,), folds that have a model.
        test: float32 (k, test images, classes), of the test images in the order of the contest.
        held_out: float32 (training images, classes), of every image by the models of the fold that
            holds it out; zeros where that fold has none.
    """

    folds: NDArray[np.int64]
    test: NDArray[np.float32]
    held_out: NDArray[np.float32]

    def of(self, fold: int) -> NDArray[np.float32] | None:
        """What the models of a fold say of the test images, (n, classes); None if it has none."""
        found = np.flatnonzero(self.folds == fold)
        return self.test[found[0]] if len(found) else None

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything by name."""
        return {"folds": self.folds, "test": self.test, "held_out": self.held_out}

    @classmethod
    def of_arrays(cls, path: Path, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Takes `arrays` back."""
        return cls(**{name: arrays[name] for name in ("folds", "test", "held_out")})
