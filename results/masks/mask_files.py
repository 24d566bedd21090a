"""Masks in image files: a number of a class per pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from results.masks.notation import Notation
from results.masks.planes import Pixels


@dataclass(frozen=True, kw_only=True)
class NumberFiles:
    """Grey or palette images whose pixels are numbers of classes.

    Attributes:
        files: By row.
    """

    files: Sequence[Path]

    @property
    def written(self) -> Notation:
        """Numbers only."""
        return Notation()

    @property
    def sets(self) -> None:
        """A number is of one class."""
        return None

    @property
    def key(self) -> Any:
        """Names, sizes and times of the files."""
        return file_stats(self.files)

    def read(self, row: int) -> Pixels:
        """The numbers of an image's pixels, uint8 (height, width).

        Raises:
            ValueError, OSError: If the file is no mask.
        """
        with Image.open(self.files[row]) as image:
            numbers = np.asarray(image)
        if numbers.ndim == 3 and (numbers[..., :3] == numbers[..., :1]).all():
            numbers = numbers[..., 0]  # grey, repeated
        if numbers.ndim != 2:
            raise ValueError(
                "it has colours, not numbers of classes: data.colours= names a table of them"
            )
        if numbers.dtype != np.bool_ and (numbers.min() < 0 or numbers.max() > 255):
            raise ValueError(f"it has numbers up to {numbers.max()}, above 255")
        return numbers.astype(np.uint8)


def file_stats(files: Sequence[Path]) -> Any:
    """Identity of files by a look at the folder, JSON-ready."""
    return [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files]
