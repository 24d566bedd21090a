"""Stored predictions: what everything after training is computed from."""

from __future__ import annotations

import itertools
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from results.masks.planes import Planes
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

MASKS = "masks"
"""The head of tasks whose predictions are probabilities per pixel, in 255ths, as `Planes`."""

COUNTS = "counts"
"""The head of what masks come to beside the truth, of images whose truth is known."""

SIZES = "sizes"
"""The head of heights and widths of images in pixels, (n, 2), beside masks."""

OCCURS = "occurs"
"""The head of how likely each class occurs in an image, (n, classes), beside masks of networks that
tell it."""

Head = NDArray[np.float32] | Planes

_HEAD, _PLANES = "head:", "planes:"
"""What the names of heads begin with in a file: arrays, and planes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """What a model says of some images, an array per head.

    Attributes:
        images: Image names by row.
        classes: Class names.
        heads: float32 (n, …), or `Planes`, by name; probabilities of classes are (n, classes).
    """

    images: tuple[str, ...]
    classes: tuple[str, ...]
    heads: Mapping[str, Head]

    def __post_init__(self) -> None:
        if not self.heads:
            raise InputError("predictions need at least one head")
        for name, values in self.heads.items():
            if isinstance(values, Planes):
                if len(values) != len(self.images):
                    raise InputError(f"{len(values)} {name} of {len(self.images)} images")
                continue
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
        found = self.heads.get(PROBABILITIES)
        if found is None or isinstance(found, Planes):
            raise InputError(f"these are predictions of {', '.join(self.heads)}, not of classes")
        return found

    @property
    def masks(self) -> Planes:
        """Probabilities per pixel in 255ths, each uint8 (height, width, classes).

        Raises:
            InputError: If these are predictions of another kind.
        """
        found = self.heads.get(MASKS)
        if not isinstance(found, Planes):
            raise InputError(f"these are predictions of {', '.join(self.heads)}, not of masks")
        return found

    @property
    def sizes(self) -> NDArray[np.float32]:
        """Heights and widths of the images in pixels, (n, 2), where these are masks."""
        found = self.heads[SIZES]
        assert not isinstance(found, Planes)
        return found

    @property
    def judged(self) -> NDArray[np.float32]:
        """What a metric is computed of, (n, …): probabilities of classes, or counts of masks.

        Raises:
            InputError: If these are masks whose truth is not known.
        """
        if MASKS not in self.heads:
            return self.probabilities
        found = self.heads.get(COUNTS)
        if found is None or isinstance(found, Planes):
            raise InputError("these masks are of images whose truth is not known")
        return found

    @staticmethod
    def joined(parts: Sequence[Predictions]) -> Predictions:
        """Predictions of different images by models with the same heads, one after another."""
        first = parts[0]
        heads: dict[str, Head] = {}
        for name, head in first.heads.items():
            found = [part.heads[name] for part in parts]
            if isinstance(head, Planes):
                heads[name] = Planes.of(itertools.chain.from_iterable(found))
            else:
                heads[name] = np.concatenate(found)
        images = tuple(image for part in parts for image in part.images)
        return Predictions(images=images, classes=first.classes, heads=heads)

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
            arrays: dict[str, Any] = {}
            for name, values in self.heads.items():
                if isinstance(values, Planes):
                    parts = values.arrays().items()
                    arrays |= {f"{_PLANES}{name}:{part}": array for part, array in parts}
                else:
                    arrays[f"{_HEAD}{name}"] = values
            arrays["images"] = np.array(self.images, dtype=np.str_)
            arrays["classes"] = np.array(self.classes, dtype=np.str_)
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())

    @staticmethod
    def read(path: Path) -> Predictions:
        """Reads what ``write`` wrote; planes stay in the file until they are looked at.

        Raises:
            InputError: If the file is missing or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                images, classes = data["images"].tolist(), data["classes"].tolist()
                heads: dict[str, Head] = {
                    key.removeprefix(_HEAD): data[key] for key in data if key.startswith(_HEAD)
                }
                planes = {key.split(":")[1] for key in data if key.startswith(_PLANES)}
            heads |= {name: Planes.mapped(path, f"{_PLANES}{name}:") for name in planes}
            return Predictions(images=tuple(images), classes=tuple(classes), heads=heads)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} does not hold predictions: {error}") from error
