"""The box of each image that mixing keeps to, in pixels as they are stored and as they are seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from results.masks.counts import VOID
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from trainables.data.boxes import Boxes
from trainables.data.image_store import ImageStore
from trainables.portable.preparation import Box, Preparation

Boxed = NDArray[np.int64]
"""Left, top, right and bottom in pixels, the last two outside: int64 (n, 4)."""


def boxes_in_store(boxes: Boxes, store: ImageStore, config: TrialConfig) -> Boxed:
    """Boxes by row of the store; all of an image where there is none.

    Args:
        boxes: By name of the image, in pixels of its file as it is turned.
        store: Images.
        config: How they were prepared.

    Raises:
        InputError: If one reaches outside its image.
    """
    preparation = Preparation.of(config.data.to_json())
    found = np.tile(np.array([0, 0, store.side, store.side], np.int64), (len(store.images), 1))
    for row, (image, size) in enumerate(zip(store.images, store.sizes.tolist(), strict=True)):
        box = boxes.get(image)
        if box is None:
            continue
        height, width = size
        if box[2] > width or box[3] > height:
            raise InputError(
                f"data.focus=: {image}: the box {', '.join(map(str, box))} (left, top, right, "
                f"bottom) reaches outside the image of {width} x {height} pixels"
            )
        found[row] = preparation.place(box, height, width)
    return found


def marked(box: Boxed, side: int) -> NDArray[np.uint8]:
    """A mask uint8 (side, side) that is 1 inside of a box (4,), to be augmented with its image."""
    mask = np.zeros((side, side), np.uint8)
    left, top, right, bottom = box
    mask[top:bottom, left:right] = 1
    return mask


def around(mask: NDArray[np.uint8]) -> Box:
    """The box around what is marked, wherever it went; all zeros if nothing is left of it."""
    seen = (mask != 0) & (mask != VOID)
    if not seen.any():
        return 0, 0, 0, 0
    rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
