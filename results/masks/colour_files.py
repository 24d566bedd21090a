"""Masks in image files: a colour of a class per pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from results.masks.colours import Colours
from results.masks.mask_files import file_stats
from results.masks.notation import Notation
from results.masks.planes import Pixels


@dataclass(frozen=True, kw_only=True)
class ColourFiles:
    """Images whose pixels have the colours of classes; numbers are places in their table.

    Attributes:
        files: By row.
        colours: The table.
    """

    files: Sequence[Path]
    colours: Colours

    @property
    def written(self) -> Notation:
        """Names and colours."""
        rgb = tuple((int(r), int(g), int(b)) for r, g, b in self.colours.rgb)
        return Notation(names=self.colours.names, colours=rgb)

    @property
    def sets(self) -> None:
        """A number is of one class."""
        return None

    @property
    def key(self) -> Any:
        """Names, sizes and times of the files, and the table."""
        return [file_stats(self.files), self.colours.names, self.colours.rgb.tolist()]

    def read(self, row: int) -> Pixels:
        """The numbers of an image's pixels, uint8 (height, width).

        Raises:
            ColourError: For colours that are not in the table.
            ValueError, OSError: If the file is no mask.
        """
        with Image.open(self.files[row]) as image:
            picture = np.asarray(image.convert("RGB"))
        return self.colours.indices(picture)
