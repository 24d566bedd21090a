"""What is true of the images that a fold holds out, read from the stored folds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from results.predictions import Predictions
from spaces.errors import InputError


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """Labels of held-out images.

    Attributes:
        images: Image names.
        labels: int64 (n,), class indices.
        groups: str (n,), or None.
    """

    images: tuple[str, ...]
    labels: NDArray[np.int64]
    groups: NDArray[np.str_] | None

    @staticmethod
    def of_fold(path: Path, fold: int) -> Truth:
        """Reads the rows of ``folds-<digest>.csv`` that ``fold`` holds out."""
        table = pd.read_csv(path, dtype={"image": str, "group": str}, keep_default_na=False)
        rows = table[table["fold"] == fold]
        return Truth(
            images=tuple(rows["image"]),
            labels=rows["label"].to_numpy(np.int64),
            groups=rows["group"].to_numpy(np.str_) if "group" in rows else None,
        )

    @staticmethod
    def training_images(path: Path) -> tuple[str, ...]:
        """Names of all training images, in the order of the training table."""
        table = pd.read_csv(path, dtype={"image": str, "group": str}, keep_default_na=False)
        return tuple(table["image"])

    def probabilities(self, path: Path) -> NDArray[np.float32]:
        """Reads predictions of exactly these images, float32 (n, classes).

        Raises:
            InputError: If the file holds other images.
        """
        predictions = Predictions.read(path)
        if predictions.images != self.images:
            raise InputError(f"{path} holds predictions of other images than the fold")
        return predictions.probabilities
