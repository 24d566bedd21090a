"""Stored predictions: what everything after training is computed from."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spaces.errors import InputError


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """Class probabilities of some images.

    Attributes:
        images: Image names by row.
        classes: Class names by column.
        probabilities: float32 (n, classes).
    """

    images: tuple[str, ...]
    classes: tuple[str, ...]
    probabilities: NDArray[np.float32]

    def __post_init__(self) -> None:
        shape = (len(self.images), len(self.classes))
        if self.probabilities.shape != shape:
            raise InputError(
                f"probabilities have the shape {self.probabilities.shape}, expected {shape}"
            )

    def write(self, path: Path) -> None:
        """Writes an ``.npz`` file without pickles, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        with temporary.open("wb") as file:
            np.savez(
                file,
                images=np.array(self.images, dtype=np.str_),
                classes=np.array(self.classes, dtype=np.str_),
                probabilities=self.probabilities,
            )
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)

    @staticmethod
    def read(path: Path) -> Predictions:
        """Reads what ``write`` wrote.

        Raises:
            InputError: If the file is missing or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                return Predictions(
                    images=tuple(data["images"].tolist()),
                    classes=tuple(data["classes"].tolist()),
                    probabilities=data["probabilities"],
                )
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} does not hold predictions: {error}") from error
