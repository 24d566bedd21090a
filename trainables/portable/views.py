"""Views: named ways to look at an image, for test-time augmentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .images import resize
from .windows import size_at

Picture = NDArray[np.uint8]
"""uint8 (height, width, channels)."""

Move = Callable[[Picture], Picture]

SHIFT = 0.06
"""Share of the side by which an image is moved."""

ZOOM = 0.85
"""Share of the side that a closer look keeps; a wider one is as much further away."""

STEP = 32
"""What sides of an image that is seen as a whole at another scale are multiples of: decoders put
together again what encoders halved."""


def _moved(angle: float = 0.0, right: float = 0.0, down: float = 0.0, scale: float = 1.0) -> Move:
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


def _flipped(axis: int) -> Move:
    return lambda picture: np.ascontiguousarray(np.flip(picture, axis))


def _turned(quarters: int) -> Move:
    """Turns counter-clockwise by quarters."""
    return lambda picture: np.ascontiguousarray(np.rot90(picture, quarters))


def same(picture: Picture) -> Picture:
    """Leaves a picture as it is."""
    return picture


@dataclass(frozen=True, kw_only=True)
class View:
    """A way to look at an image.

    Attributes:
        move: What is done to a picture at its own size; borders are reflected.
        undo: From predictions per pixel of what was moved to those of the image, at the same scale;
            None where there is no way back.
        scale: How many times as large a side is seen, which is for masks.
        overlap: Share of its side by which a window overlaps the next; None for the model's own.
        weights: How much the pixels of a window count, one of those that `weights_of` knows; empty
            for the model's own.
    """

    move: Move = same
    undo: Move | None = same
    scale: float = 1.0
    overlap: float | None = None
    weights: str = ""

    @property
    def of_windows(self) -> bool:
        """Whether windows lie, or count, otherwise than the model has it."""
        return self.overlap is not None or bool(self.weights)

    def windows(self, overlap: float, weights: str) -> tuple[float, str]:
        """Overlap and weights of windows, for a model that has these of its own."""
        return overlap if self.overlap is None else self.overlap, self.weights or weights


_FLIPS = {"": same, "hflip_": _flipped(1), "vflip_": _flipped(0)}

VIEWS: Mapping[str, View] = {
    "hflip": View(move=_flipped(1), undo=_flipped(1)),
    "vflip": View(move=_flipped(0), undo=_flipped(0)),
    "rotate90": View(move=_turned(1), undo=_turned(-1)),
    "rotate180": View(move=_turned(2), undo=_turned(-2)),
    "rotate270": View(move=_turned(3), undo=_turned(-3)),
    "rotate+5": View(move=_moved(angle=5), undo=None),
    "rotate-5": View(move=_moved(angle=-5), undo=None),
    "rotate+10": View(move=_moved(angle=10), undo=None),
    "rotate-10": View(move=_moved(angle=-10), undo=None),
    "left": View(move=_moved(right=-SHIFT), undo=None),
    "right": View(move=_moved(right=SHIFT), undo=None),
    "up": View(move=_moved(down=-SHIFT), undo=None),
    "down": View(move=_moved(down=SHIFT), undo=None),
    "zoom": View(move=_moved(scale=1 / ZOOM), undo=None),
    "wide": View(move=_moved(scale=ZOOM), undo=None),
    **{
        f"{name}scale_{scale:g}": View(move=flip, undo=flip, scale=scale)
        for scale in (0.5, 0.75, 1.25, 1.5)
        for name, flip in _FLIPS.items()
    },
    **{f"overlap_{overlap:g}": View(overlap=overlap) for overlap in (0.5, 0.75)},
    **{f"windows_{weights}": View(weights=weights) for weights in ("gaussian", "flat", "cut")},
}
"""By name."""

_AS_IT_IS = View()


def view_of(name: str) -> View:
    """One of `VIEWS`; for an empty name the image as it is."""
    return VIEWS[name] if name else _AS_IT_IS


def whole(picture: Picture, view: str, size: tuple[int, int]) -> Picture:
    """A preprocessed image as a network sees it whole, uint8 (height, width, 3) of `seen_size`.

    Args:
        picture: uint8 (height, width, 3).
        view: One of `VIEWS`, or empty for the image as it is.
        size: Height and width at which the network sees images.
    """
    return resize(view_of(view).move(picture), *seen_size(view, size))


def before_windows(picture: Picture, view: str) -> Picture:
    """A preprocessed image in a view, of which windows are cut out, at the view's scale.

    Args:
        picture: uint8 (height, width, 3).
        view: One of `VIEWS`, or empty for the image as it is.
    """
    seen = view_of(view).move(picture)
    return resize(seen, *size_at(seen.shape[0], seen.shape[1], view_of(view).scale))


def seen_size(view: str, size: tuple[int, int]) -> tuple[int, int]:
    """Height and width at which a network sees a whole image in a view, which may be empty.

    Args:
        view: One of `VIEWS`, or empty for the image as it is.
        size: The same of the image as it is.
    """
    scale = view_of(view).scale
    if scale == 1:
        return size
    height, width = (max(STEP, round(scale * side / STEP) * STEP) for side in size)
    return height, width
