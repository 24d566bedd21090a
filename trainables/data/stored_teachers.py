"""What teachers say as arrays in a file that is named by them, so that a change shows."""

from __future__ import annotations

import hashlib
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from spaces.errors import InputError
from spaces.files import whole_file


class StoredTeachers(ABC):
    """What teachers say, kept as ``teachers-<digest>.npz``."""

    @property
    @abstractmethod
    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Everything by name."""

    @classmethod
    @abstractmethod
    def of_arrays(cls, path: Path, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Takes `arrays` back, as they are in the file ``path``.

        Raises:
            KeyError: Or whatever Python raises where they are not what they should be.
        """

    @property
    def digest(self) -> str:
        """Identity of all that they say: arrays with their names, types and shapes."""
        found, arrays = hashlib.sha256(), self.arrays
        for name in sorted(arrays):
            part = arrays[name]
            found.update(f"{name}{part.dtype}{part.shape}".encode())
            found.update(np.ascontiguousarray(part).data)
        return found.hexdigest()[:16]

    def write(self, folder: Path) -> Path:
        """Writes the file into ``folder``, unless it is there; returns its path."""
        path = folder / f"teachers-{self.digest}.npz"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as temporary, temporary.open("wb") as file:
                np.savez(file, allow_pickle=False, **self.arrays)
        return path

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads what `write` wrote.

        Raises:
            InputError: If it is missing, damaged or was changed.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                found = cls.of_arrays(path, data)
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} does not hold what teachers say: {error}") from error
        digest = found.digest
        if not path.stem.endswith(f"-{digest}"):
            raise InputError(f"{path} was changed: its contents have the digest {digest}")
        return found
