"""What is true of training images, read from the stored folds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from results.predictions import Predictions
from spaces.errors import InputError


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledImages:
    """What is known of training images.

    Attributes:
        images: Image names.
        labels: int64 (n,), class indices; of images with masks, what folds share out.
        folds: int64 (n,), the fold that holds each out.
        groups: str (n,), or None.

    Predictions of these images are read from a file once, however often a command asks for them.
    """

    images: tuple[str, ...]
    labels: NDArray[np.int64]
    folds: NDArray[np.int64]
    groups: NDArray[np.str_] | None
    _read: dict[Path, NDArray[np.float32]] = field(default_factory=dict, repr=False)

    @staticmethod
    def of_fold(path: Path, fold: int) -> LabelledImages:
        """Reads the rows of ``folds-<digest>.csv`` that ``fold`` holds out."""
        table = _table(path)
        return _labelled(table[table["fold"] == fold])

    @staticmethod
    def every(path: Path) -> LabelledImages:
        """Reads all rows of ``folds-<digest>.csv``."""
        return _labelled(_table(path))

    @staticmethod
    def of_images(path: Path, images: tuple[str, ...]) -> LabelledImages:
        """Reads the rows of some images, in the order given.

        Raises:
            InputError: If one of them is not there.
        """
        table = _table(path)
        unknown = set(images) - set(table["image"])
        if unknown:
            raise InputError(
                f"{len(unknown)} images are no training images any more, such as {min(unknown)!r}"
            )
        return _labelled(table.set_index("image", drop=False).loc[list(images)])

    @staticmethod
    def fold_of_images(path: Path) -> dict[str, int]:
        """Fold of every training image, in the order of the training table."""
        table = _table(path)
        return dict(zip(table["image"], table["fold"].astype(int), strict=True))

    def judged(self, path: Path) -> NDArray[np.float32]:
        """Reads what a metric is computed of (n, …) from predictions of exactly these images.

        Raises:
            InputError: If the file holds other images.
        """
        if path not in self._read:
            predictions = Predictions.read(path)
            if predictions.images != self.images:
                raise InputError(f"{path} holds predictions of other images than the fold")
            self._read[path] = predictions.judged
            self._read[path].flags.writeable = False  # it is everybody's
        return self._read[path]


def _table(path: Path) -> pd.DataFrame:
    """Reads stored folds.

    Raises:
        InputError: If they are not there, as in a runs folder that was copied in part, or damaged.
    """
    try:
        table = pd.read_csv(path, dtype={"image": str, "group": str}, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} does not hold the folds of its searches: {error}") from error
    lacking = {"image", "label", "fold"} - set(table)
    if lacking:
        raise InputError(f"{path} does not hold the folds of its searches: no {min(lacking)!r}")
    return table


def _labelled(rows: pd.DataFrame) -> LabelledImages:
    return LabelledImages(
        images=tuple(rows["image"]),
        labels=rows["label"].to_numpy(np.int64),
        folds=rows["fold"].to_numpy(np.int64),
        groups=rows["group"].to_numpy(np.str_) if "group" in rows else None,
    )
