"""What a promotion's models say: of test images, fold by fold, and of images held out from them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spaces.errors import InputError
from spaces.files import whole_file


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
    def digest(self) -> str:
        """Identity of all that they say."""
        found = hashlib.sha256()
        for part in (self.folds, self.test, self.held_out):
            found.update(f"{part.dtype}{part.shape}".encode())
            found.update(np.ascontiguousarray(part).data)
        return found.hexdigest()[:16]

    def write(self, folder: Path) -> Path:
        """Writes ``teachers-<digest>.npz`` into ``folder`` and returns its path."""
        path = folder / f"teachers-{self.digest}.npz"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            arrays = io.BytesIO()
            np.savez(arrays, folds=self.folds, test=self.test, held_out=self.held_out)
            with whole_file(path) as temporary:
                temporary.write_bytes(arrays.getvalue())
        return path

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
        if path.name != f"teachers-{found.digest}.npz":
            raise InputError(f"{path} was changed: its contents have the digest {found.digest}")
        return found
