"""Stored predictions: what everything after training is computed from."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spaces.errors import InputError
from spaces.files import whole_file


def predictions_file(part: str, view: str = "") -> str:
    """Name of a trial's file of predictions.

    Args:
        part: ``holdout`` or ``test``.
        view: How the images were looked at; empty for as they are.
    """
    return f"{part}-{view}.npz" if view else f"{part}.npz"


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

    def of(self, images: tuple[str, ...]) -> Predictions:
        """The rows of some of the images, in the order given."""
        rows = {image: i for i, image in enumerate(self.images)}
        order = [rows[image] for image in images]
        return Predictions(
            images=images, classes=self.classes, probabilities=self.probabilities[order]
        )

    @property
    def certain(self) -> bool:
        """Whether these are labels: nothing but 0 and 1."""
        return bool(((self.probabilities == 0) | (self.probabilities == 1)).all())

    def normalised(self) -> Predictions:
        """The same with rows that sum to 1; a row of zeros becomes even."""
        sums = self.probabilities.sum(axis=1, keepdims=True)
        even = np.float32(1 / len(self.classes))
        shares = np.where(sums > 0, self.probabilities / np.where(sums > 0, sums, 1), even)
        return Predictions(images=self.images, classes=self.classes, probabilities=shares)

    def as_labels(self) -> Predictions:
        """The likeliest class of every image, with certainty."""
        certain = np.eye(len(self.classes), dtype=np.float32)[self.probabilities.argmax(axis=1)]
        return Predictions(images=self.images, classes=self.classes, probabilities=certain)

    def write(self, path: Path) -> None:
        """Writes an ``.npz`` file without pickles, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary, temporary.open("wb") as file:
            np.savez(
                file,
                images=np.array(self.images, dtype=np.str_),
                classes=np.array(self.classes, dtype=np.str_),
                probabilities=self.probabilities,
            )
            file.flush()
            os.fsync(file.fileno())

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
