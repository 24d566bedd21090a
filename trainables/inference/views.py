"""Views: named ways to look at an image, for test-time augmentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from spaces.sections.data import Data
from trainables.portable.images import resize
from trainables.portable.preprocessing import PREPROCESSINGS
from trainables.portable.windows import size_at

Picture = NDArray[np.uint8]

SHIFT = 0.06
"""Share of the side by which an image is moved."""

ZOOM = 0.85
"""Share of the side that a closer look keeps; a wider one is as much further away."""


def _moved(
    angle: float = 0.0, right: float = 0.0, down: float = 0.0, scale: float = 1.0
) -> Callable[[Picture], Picture]:
    """Turns counter-clockwise by degrees, moves by shares of the side, and scales."""

    def move(picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, scale)
        matrix[:, 2] += (right * width, down * height)
        return np.asarray(
            cv2.warpAffine(
                picture,
                matrix,
                (width, height),
                flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REFLECT_101,
            ),
            np.uint8,
        )

    return move


def _flipped(axis: int) -> Callable[[Picture], Picture]:
    return lambda picture: np.ascontiguousarray(np.flip(picture, axis))


def _turned(quarters: int) -> Callable[[Picture], Picture]:
    """Turns counter-clockwise by quarters."""
    return lambda picture: np.ascontiguousarray(np.rot90(picture, quarters))


def _same(picture: Picture) -> Picture:
    return picture


SCALES: Mapping[str, float] = {
    f"{flip}scale_{scale:g}": scale
    for scale in (0.5, 0.75, 1.25, 1.5)
    for flip in ("", "hflip_", "vflip_")
}
"""How many times as large a side is in views at other scales, which are of masks."""

STEP = 32
"""What sides of an image that is seen as a whole at another scale are multiples of: decoders put
together again what encoders halved."""

VIEWS: Mapping[str, Callable[[Picture], Picture]] = {
    "hflip": _flipped(1),
    "vflip": _flipped(0),
    "rotate90": _turned(1),
    "rotate180": _turned(2),
    "rotate270": _turned(3),
    "rotate+5": _moved(angle=5),
    "rotate-5": _moved(angle=-5),
    "rotate+10": _moved(angle=10),
    "rotate-10": _moved(angle=-10),
    "left": _moved(right=-SHIFT),
    "right": _moved(right=SHIFT),
    "up": _moved(down=-SHIFT),
    "down": _moved(down=SHIFT),
    "zoom": _moved(scale=1 / ZOOM),
    "wide": _moved(scale=ZOOM),
    **{view: {"h": _flipped(1), "v": _flipped(0)}.get(view[0], _same) for view in SCALES},
}
"""Of stored images, uint8 (side, side, 3); borders are reflected. Those at another scale are
resized beside that."""


UNDONE: Mapping[str, Callable[[Picture], Picture]] = {
    "hflip": _flipped(1),
    "vflip": _flipped(0),
    "rotate90": _turned(-1),
    "rotate180": _turned(-2),
    "rotate270": _turned(-3),
    **{view: VIEWS[view] for view in SCALES},
}
"""From predictions per pixel of a view, uint8 (height, width, classes), to those of the image; they
keep their scale until several models' are merged."""


def look(picture: Picture, view: str, data: Data) -> Picture:
    """A stored image as a network sees it whole, uint8 (height, width, 3) of `seen_size`.

    Args:
        picture: uint8 (side, side, 3), as the store has it.
        view: One of `VIEWS`, or empty for the image as it is.
        data: How images are seen.
    """
    return resize(_moved_into(picture, view, data), *seen_size(view, data))


def look_at(picture: Picture, view: str, data: Data) -> Picture:
    """An image, preprocessed, in a view, at its own size, or at the view's scale.

    Args:
        picture: uint8 (height, width, 3).
        view: One of `VIEWS`, or empty for the image as it is.
        data: How images are seen.
    """
    seen = _moved_into(picture, view, data)
    if view not in SCALES:
        return seen
    return resize(seen, *size_at(seen.shape[0], seen.shape[1], SCALES[view]))


def seen_size(view: str, data: Data) -> tuple[int, int]:
    """Height and width at which a network sees a whole image in a view; ``view`` may be empty."""
    if view not in SCALES:
        return data.prediction_size
    height, width = (
        max(STEP, round(SCALES[view] * side / STEP) * STEP) for side in data.prediction_size
    )
    return height, width


def _moved_into(picture: Picture, view: str, data: Data) -> Picture:
    seen = PREPROCESSINGS[data.preprocess](picture)
    return VIEWS[view](seen) if view else seen
