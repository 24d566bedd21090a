"""Whether outlines of masks lie on the edges of their images, or a pixel or two beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from results.masks.counts import VOID
from results.masks.planes import Pixels

FAR = 2
"""Pixels that outlines are moved by, at most."""

FEWEST = 32
"""Pixels of outline from which on an image says anything."""

CLEARER = 1.1
"""How much stronger the edges have to be where an outline is moved to than where it lies."""


class Move(NamedTuple):
    """What is done to a mask.

    Attributes:
        right: Pixels to the right.
        down: Pixels downwards.
        outward: Pixels that classes other than the first grow by.
    """

    right: int = 0
    down: int = 0
    outward: int = 0

    def words(self) -> str:
        """Such as ``2 pixels to the right``."""
        ways = (
            (self.right, "to the right", "to the left"),
            (self.down, "downwards", "upwards"),
            (self.outward, "outwards", "inwards"),
        )
        told = [
            f"{abs(count)} pixel{'s' if abs(count) > 1 else ''} {more if count > 0 else less}"
            for count, more, less in ways
            if count
        ]
        return " and ".join(told)


def best_move(picture: Pixels, mask: Pixels, background: int) -> Move | None:
    """Where the outlines of a mask would lie on the strongest edges.

    Args:
        picture: uint8 (height, width, 3).
        mask: uint8 (height, width), class indices or `VOID`.
        background: Index of the class that the others grow into.

    Returns:
        How they have to be moved; nowhere unless that is clearly better. None where there are too
        few outlines to tell.
    """
    strengths = edge_strengths(picture, mask, background)
    if not strengths or not max(strengths.values()):
        return None
    best = max(strengths, key=lambda move: strengths[move])
    return best if strengths[best] > CLEARER * strengths[Move()] else Move()


def edge_strengths(picture: Pixels, mask: Pixels, background: int) -> Mapping[Move, float]:
    """Mean differences of the pixels on both sides of the outlines, by how these are moved.

    All moves are measured on the inner part of the image, where moved outlines are, too.
    """
    steps = [_steps(picture.astype(np.int16), axis).max(axis=2) for axis in (0, 1)]
    found: dict[Move, float] = {}
    for grown in range(-FAR, FAR + 1):
        moved = mask if not grown else _grown(mask, background, grown)
        lines = [_outline(moved, axis) for axis in (0, 1)]
        if sum(map(len, lines)) < FEWEST:
            if not grown:
                return {}
            continue
        for move in _moves(grown):
            values = [
                step[line[:, 0] + move.down, line[:, 1] + move.right]
                for step, line in zip(steps, lines, strict=True)
            ]
            found[move] = float(np.concatenate(values).mean())
    return found


def outline_length(mask: Pixels) -> int:
    """Pairs of neighbours of unlike classes in a mask, uint8 (height, width)."""
    return sum(int(np.count_nonzero(np.diff(mask, axis=axis))) for axis in (0, 1))


def _moves(grown: int) -> Iterator[Move]:
    if grown:
        yield Move(outward=grown)
        return
    for down in range(-FAR, FAR + 1):
        for right in range(-FAR, FAR + 1):
            yield Move(right=right, down=down)


def _steps(picture: NDArray[np.int16], axis: int) -> NDArray[np.int16]:
    return np.asarray(np.abs(np.diff(picture, axis=axis)), np.int16)


def _outline(mask: Pixels, axis: int) -> NDArray[np.int64]:
    """Places of pixels whose next one along an axis is of another class, (n, 2)."""
    one, other = (mask[:-1], mask[1:]) if axis == 0 else (mask[:, :-1], mask[:, 1:])
    places = np.argwhere((one != other) & (one != VOID) & (other != VOID))
    limits = np.array(one.shape) - FAR
    return np.asarray(places[((places >= FAR) & (places < limits)).all(axis=1)])


def _grown(mask: Pixels, background: int, pixels: int) -> Pixels:
    """A mask whose classes grew into the background, or shrank from it."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    found = mask.copy()
    if pixels < 0:
        inner = cv2.dilate((mask == background).view(np.uint8), cross, iterations=-pixels)
        found[(inner > 0) & (mask != VOID)] = background
        return found
    for index in np.unique(mask[(mask != VOID) & (mask != background)]):
        grown = cv2.dilate((mask == index).view(np.uint8), cross, iterations=pixels)
        found[(grown > 0) & (mask == background)] = index
    return found
