"""Stored predictions: what everything after training is computed from."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


PROBABILITIES = "probabilities"
"""The head of tasks whose predictions are probabilities of classes."""

_HEAD = "head:"
"""What the names of heads begin with in a file."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """What a model says of some images, an array per head.

    Attributes:
        images: Image names by row.
        classes: Class names.
        heads: float32 (n, …) by name; probabilities of classes are (n, classes).
    """

    images: tuple[str, ...]
    classes: tuple[str, ...]
    heads: Mapping[str, NDArray[np.float32]]

    def __post_init__(self) -> None:
        if not self.heads:
            raise InputError("predictions need at least one head")
        for name, values in self.heads.items():
            wanted = (len(self.images), *values.shape[1:])
            if name == PROBABILITIES:
                wanted = (len(self.images), len(self.classes))
            if values.shape != wanted:
                raise InputError(f"{name} have the shape {values.shape}, expected {wanted}")

    @staticmethod
    def of_classes(
        *, images: tuple[str, ...], classes: tuple[str, ...], probabilities: NDArray[np.float32]
    ) -> Predictions:
        """Probabilities of classes, float32 (n, classes), as the only head."""
        return Predictions(images=images, classes=classes, heads={PROBABILITIES: probabilities})

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """Probabilities of classes, float32 (n, classes).

        Raises:
            InputError: If these are predictions of another kind.
        """
        if PROBABILITIES not in self.heads:
            raise InputError(f"these are predictions of {', '.join(self.heads)}, not of classes")
        return self.heads[PROBABILITIES]

    def of(self, images: tuple[str, ...]) -> Predictions:
        """The rows of some of the images, in the order given."""
        rows = {image: i for i, image in enumerate(self.images)}
        order = [rows[image] for image in images]
        heads = {name: values[order] for name, values in self.heads.items()}
        return Predictions(images=images, classes=self.classes, heads=heads)

    @property
    def certain(self) -> bool:
        """Whether these are labels: nothing but 0 and 1."""
        return bool(((self.probabilities == 0) | (self.probabilities == 1)).all())

    def normalised(self) -> Predictions:
        """The same with rows that sum to 1; a row of zeros becomes even."""
        sums = self.probabilities.sum(axis=1, keepdims=True)
        even = np.float32(1 / len(self.classes))
        shares = np.where(sums > 0, self.probabilities / np.where(sums > 0, sums, 1), even)
        return self._with(shares)

    def as_labels(self) -> Predictions:
        """The likeliest class of every image, with certainty."""
        certain = np.eye(len(self.classes), dtype=np.float32)[self.probabilities.argmax(axis=1)]
        return self._with(certain)

    def _with(self, probabilities: NDArray[np.float32]) -> Predictions:
        return Predictions.of_classes(
            images=self.images, classes=self.classes, probabilities=probabilities
        )

    def write(self, path: Path) -> None:
        """Writes an ``.npz`` file without pickles, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary, temporary.open("wb") as file:
            arrays: dict[str, Any] = {f"{_HEAD}{name}": v for name, v in self.heads.items()}
            arrays["images"] = np.array(self.images, dtype=np.str_)
            arrays["classes"] = np.array(self.classes, dtype=np.str_)
            np.savez(file, **arrays)
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
                    heads={
                        key.removeprefix(_HEAD): data[key] for key in data if key.startswith(_HEAD)
                    },
                )
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} does not hold predictions: {error}") from error
