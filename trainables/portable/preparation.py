"""Preparation: what becomes of a decoded image before it is stored, and so before any network."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .images import resize

Picture = NDArray[np.uint8]
"""RGB, uint8 (height, width, 3)."""

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels of the image as it is turned; the last two are outside."""

SIDES = ("left", "top", "right", "bottom")
"""Columns of a table of boxes."""

FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "area": Image.Resampling.BOX,
}
"""Pillow's, whose support grows with the factor: OpenCV's cubic and Lanczos alias when they shrink,
and networks' weights were trained on Pillow's."""


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """What becomes of decoded images before they are stored.

    Attributes:
        side: Height and width in pixels of what is stored, whatever the proportions it stands for.
        shape: How an image gets these proportions: ``squash`` stretches it, ``pad`` adds black on
            both sides, ``crop`` keeps the middle. ``native`` keeps its own; ``side`` is then the
            longest side, or 0 for any.
        proportions: Height and width that the network sees, in lowest terms; a square where
            nothing depends on them.
        interpolation: One of `FILTERS`, or ``auto`` for OpenCV's bilinear, or area when shrinking a
            lot.
        own: The team's own function, called after the box is cut out, from several threads.
        source: Identity of that function.
    """

    side: int
    shape: str = "squash"
    proportions: tuple[int, int] = (1, 1)
    interpolation: str = "auto"
    own: Callable[[Picture], Picture] | None = None
    source: str = ""

    @staticmethod
    def of(
        data: Mapping[str, Any],
        own: Callable[[Picture], Picture] | None = None,
        source: str = "",
    ) -> Preparation:
        """The preparation that the data section of a configuration, as JSON, asks for."""
        height, width = data["size"] if data["shape"] in ("pad", "crop") else (1, 1)
        common = math.gcd(height, width)
        return Preparation(
            side=data["store_side"],
            shape=data["shape"],
            proportions=(height // common, width // common),
            interpolation=data["interpolation"],
            own=own,
            source=source,
        )

    @property
    def key(self) -> list[Any]:
        """Identity of what is done, JSON-ready."""
        return [self.side, self.shape, *self.proportions, self.interpolation, self.source]

    def __call__(self, picture: Picture, box: Box | None = None) -> Picture:
        """Prepares a decoded image.

        Returns:
            uint8 (side, side, 3), or of the size that `shape_of` says.

        Raises:
            ValueError: If the box is not inside the image, or the own function goes wrong.
        """
        if box is not None:
            picture = _cut(picture, box)
        if self.own is not None:
            picture = _called(self.own, picture)
        height, width = picture.shape[:2]
        if self.shape == "native":
            return self._resized(picture, *self.shape_of(height, width))
        tall, wide = height / self.proportions[0], width / self.proportions[1]
        if self.shape == "crop":
            rows = max(1, round(self.proportions[0] * min(tall, wide)))
            columns = max(1, round(self.proportions[1] * min(tall, wide)))
            top, left = (height - rows) // 2, (width - columns) // 2
            picture = picture[top : top + rows, left : left + columns]
        if self.shape != "pad":
            return self._resized(picture, self.side, self.side)
        rows = max(1, round(self.side * tall / max(tall, wide)))
        columns = max(1, round(self.side * wide / max(tall, wide)))
        padded = np.zeros((self.side, self.side, 3), np.uint8)
        top, left = (self.side - rows) // 2, (self.side - columns) // 2
        padded[top : top + rows, left : left + columns] = self._resized(picture, rows, columns)
        return padded

    def place(self, box: Box, height: int, width: int) -> Box:
        """Where a box of an image is stored; what is cropped away is cut off.

        Args:
            box: In pixels of the image.
            height: Of the image in pixels.
            width: The same.
        """
        tall, wide = height / self.proportions[0], width / self.proportions[1]
        whole = {"crop": min(tall, wide), "pad": max(tall, wide)}.get(self.shape)
        across, along = float(width), float(height)
        if whole is not None:  # the part of the plane that becomes the square
            across, along = self.proportions[1] * whole, self.proportions[0] * whole
        found = []
        for place, (size, side) in enumerate(((width, across), (height, along)) * 2):
            at = (box[place] - (size - side) / 2) * self.side / side
            found.append(min(self.side, max(0, round(at))))
        left, top, right, bottom = found
        return left, top, right, bottom

    def shape_of(self, height: int, width: int) -> tuple[int, int]:
        """Height and width in pixels at which an image of some size is stored."""
        if self.shape != "native":
            return self.side, self.side
        factor = min(1.0, self.side / max(height, width)) if self.side else 1.0
        return max(1, round(height * factor)), max(1, round(width * factor))

    def _resized(self, picture: Picture, height: int, width: int) -> Picture:
        if self.interpolation == "auto":
            return resize(picture, height, width)
        image = Image.fromarray(np.ascontiguousarray(picture))
        how = FILTERS[self.interpolation]
        return np.asarray(image.resize((width, height), how), dtype=np.uint8)


def _cut(picture: Picture, box: Box) -> Picture:
    left, top, right, bottom = box
    height, width = picture.shape[:2]
    if right > width or bottom > height:
        raise ValueError(
            f"the box {left}, {top}, {right}, {bottom} (left, top, right, bottom) reaches outside "
            f"the image of {width} x {height} pixels"
        )
    return np.ascontiguousarray(picture[top:bottom, left:right])


def _called(own: Callable[[Picture], Picture], picture: Picture) -> Picture:
    """What an own function makes of an image.

    Raises:
        ValueError: If it raises, or makes something else than an image.
    """
    try:
        made = own(picture)
    except Exception as error:  # it may raise whatever it likes
        reason = (str(error).splitlines() or [""])[0]
        raise ValueError(f"prepare= fails: {type(error).__name__}: {reason}") from error
    shape = tuple(getattr(made, "shape", ()))
    dtype = getattr(made, "dtype", type(made).__name__)
    if dtype != np.uint8 or len(shape) != 3 or shape[-1] != 3 or 0 in shape:
        raise ValueError(
            f"prepare= makes {dtype} of shape {shape}; uint8 (height, width, 3) is needed"
        )
    return np.ascontiguousarray(made)
