"""Which window of an image is trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from results.masks.counts import VOID
from results.masks.label_map import nearest
from spaces.sections.data import Windows
from trainables.portable.images import resize
from trainables.portable.windows import size_at

Pixels = NDArray[np.uint8]


class Cropper:
    """Cuts a window out of an image and its mask; draws belong to seed, epoch and image.

    Args:
        settings: Size, scale and choice of windows.
        seed: The trial's seed.
    """

    def __init__(self, settings: Windows, seed: int) -> None:
        self._settings, self._seed = settings, seed

    def __call__(
        self, picture: Pixels, mask: Pixels, epoch: int, row: int
    ) -> tuple[Pixels, Pixels]:
        """Cuts a window out.

        Args:
            picture: uint8 (height, width, 3).
            mask: uint8 (height, width), or a `soft_mask`.
            epoch: From 1.
            row: Of the image, and how often it was shown before.

        Returns:
            Both as large as a window; what lies outside the image is black and void.
        """
        settings, rng = self._settings, np.random.default_rng([self._seed, epoch, row])
        scale = settings.window_scale
        size, (tall, wide) = settings.size, size_at(mask.shape[0], mask.shape[1], scale)
        top, left = self._place(mask, (tall, wide), rng)
        # Only the part that is seen is resized, on the grid of the whole image.
        rows = slice(int(top / scale), int(np.ceil(min(top + size[0], tall) / scale)))
        columns = slice(int(left / scale), int(np.ceil(min(left + size[1], wide) / scale)))
        part, known = picture[rows, columns], mask[rows, columns]
        height, width = min(size[0], tall - top), min(size[1], wide - left)
        shown = np.zeros((*size, 3), np.uint8)
        truth = np.full((*size, *mask.shape[2:]), VOID, np.uint8)
        shown[:height, :width] = resize(np.ascontiguousarray(part), height, width)
        truth[:height, :width] = nearest(np.ascontiguousarray(known), height, width)
        return shown, truth

    def _place(
        self, mask: Pixels, scaled: tuple[int, int], rng: np.random.Generator
    ) -> tuple[int, int]:
        """Where the window begins at the scale."""
        size = self._settings.size
        free = [max(0, side - window) for side, window in zip(scaled, size, strict=True)]
        wanted = self._wanted(mask if mask.ndim == 2 else mask[..., 0], rng)
        if wanted is None:
            return int(rng.integers(free[0] + 1)), int(rng.integers(free[1] + 1))
        pixel = rng.integers(len(wanted))
        found = []
        for axis in (0, 1):
            at = int((wanted[pixel, axis] + 0.5) * scaled[axis] / mask.shape[axis])
            low, high = max(0, at - size[axis] + 1), min(free[axis], at)
            found.append(int(rng.integers(min(low, high), high + 1)))
        return found[0], found[1]

    def _wanted(self, mask: Pixels, rng: np.random.Generator) -> NDArray[np.int64] | None:
        """Pixels (k, 2) one of which the window is to hold; None for any window."""
        if self._settings.window_crop == "random":
            return None
        here = np.flatnonzero(np.bincount(mask.ravel(), minlength=VOID + 1)[:VOID])
        return np.argwhere(mask == rng.choice(here)) if len(here) else None
