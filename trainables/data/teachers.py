"""What a promotion's models say: of test images, fold by fold, and of images held out from them."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spaces.errors import InputError
from trainables.data.digested_arrays import check_digest, digest_of, write_arrays


@dataclass(frozen=True, kw_only=True, eq=False)
class Teachers:
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
    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {"folds": self.folds, "test": self.test, "held_out": self.held_out}

    @property
    def digest(self) -> str:
        """Identity of all that they say."""
        return digest_of(self._arrays)

    def write(self, folder: Path) -> Path:
        """Writes ``teachers-<digest>.npz`` into ``folder`` and returns its path."""
        return write_arrays(self._arrays, folder, "teachers")

    @staticmethod
    def read(path: Path) -> Teachers:
        """Reads what `write` wrote.

        Raises:
            InputError: If it is missing, damaged or was changed.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                found = Teachers(**{name: data[name] for name in ("folds", "test", "held_out")})
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} does not hold what teachers say: {error}") from error
        check_digest(path, found._arrays)
        return found
