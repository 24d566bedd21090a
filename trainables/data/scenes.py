"""Drawn scenes with masks: sequences of frames in which shapes move slowly over one background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

CLASSES = ("background", "disc", "dot", "line", "patch")
"""By number in a mask: nothing, large discs, small dots, thin lines and rings, striped patches."""

DISC, DOT, LINE, PATCH = 1, 2, 3, 4

_ORDER = (PATCH, PATCH, DISC, DISC, LINE, LINE, LINE, DOT, DOT, DOT, DOT, DOT)
"""What a scene holds at most, what is drawn first and may be covered first."""

_SCALE = 4
"""Scenes are drawn so many times larger, so that edges are smooth."""

_FRACTION = 4
"""Binary digits after the point of the coordinates of what is drawn."""

Colour = tuple[float, float, float]
Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Shape:
    """Something in a scene.

    Attributes:
        number: Its class.
        at: float (2,), x and y in the first frame, in pixels.
        speed: float (2,), pixels a frame.
        size: Radius, or half the length, in pixels.
        slim: Thickness of a line in pixels; of a rectangle half the height as a share of the width.
        angle: In the first frame, in degrees.
        spin: Degrees a frame.
        colour: BGR.
        other: Of stripes.
        ring: Whether a line is closed to a ring.
    """

    number: int
    at: Floats
    speed: Floats
    size: float
    slim: float
    angle: float
    spin: float
    colour: Colour
    other: Colour
    ring: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """What the frames of one sequence share.

    Attributes:
        background: float (height, width, 3), BGR.
        shapes: In the order in which they are drawn.
    """

    background: Floats
    shapes: tuple[Shape, ...]

    @staticmethod
    def draw(height: int, width: int, rng: np.random.Generator) -> Scene:
        """Draws a background and what moves over it; all shapes of a class look alike."""
        tints = rng.uniform(30, 225, (len(CLASSES), 2, 3))
        counts = [int(rng.integers(1, 1 + _ORDER.count(c))) for c in range(1, len(CLASSES))]
        shapes = [
            _shape(c, np.array([width, height]), tints[c], rng)
            for c in dict.fromkeys(_ORDER)
            for _ in range(counts[c - 1])
        ]
        return Scene(background=_background(height, width, rng), shapes=tuple(shapes))

    def frame(self, time: int, empty: bool, rng: np.random.Generator) -> tuple[Pixels, list[Shape]]:
        """Takes a picture.

        Args:
            time: Number of the frame.
            empty: Whether nothing is in it but the background.
            rng: Draws light and noise.

        Returns:
            uint8 (height, width, 3), BGR, and the shapes in it as they stand then.
        """
        height, width = self.background.shape[:2]
        shapes = [] if empty else [_moved(shape, time, width, height) for shape in self.shapes]
        size = (width * _SCALE, height * _SCALE)
        large = cv2.resize(self.background, size, interpolation=cv2.INTER_LINEAR)
        canvas = np.rint(large).astype(np.uint8)
        for shape in shapes:
            _paint(canvas, shape)
        photo = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
        lit = photo * rng.uniform(0.9, 1.1) + rng.normal(0, 7, photo.shape)
        return np.asarray(np.clip(np.rint(lit), 0, 255), np.uint8), shapes


def mask_of(shapes: Sequence[Shape], height: int, width: int) -> Pixels:
    """The class that covers most of each pixel, uint8 (height, width)."""
    canvas = np.zeros((height * _SCALE, width * _SCALE), np.uint8)
    for shape in shapes:
        _paint(canvas, shape)
    shares = [
        cv2.resize(
            255 * (canvas == c).view(np.uint8), (width, height), interpolation=cv2.INTER_AREA
        )
        for c in range(len(CLASSES))
    ]
    return np.asarray(np.argmax(shares, axis=0), np.uint8)


def _shape(number: int, area: Floats, tints: Floats, rng: np.random.Generator) -> Shape:
    low, high = {DISC: (0.12, 0.2), DOT: (0.02, 0.035), LINE: (0.12, 0.3), PATCH: (0.12, 0.2)}[
        number
    ]
    colours = np.clip(tints + rng.normal(0, 12, (2, 3)), 0, 255)
    colour, other = ((c[0], c[1], c[2]) for c in colours.tolist())
    return Shape(
        number=number,
        at=rng.uniform(0.05, 0.95, 2) * area,
        speed=rng.normal(0, 0.008, 2) * area,
        size=rng.uniform(low, high) * float(area.min()),
        slim=rng.uniform(1.6, 2.6) if number == LINE else rng.uniform(0.5, 0.9),
        angle=rng.uniform(0, 360),
        spin=rng.normal(0, 2),
        colour=colour,
        other=other,
        ring=bool(rng.random() < 0.4),
    )


def _background(height: int, width: int, rng: np.random.Generator) -> Floats:
    """Two colours in blotches, and a slope of light."""
    one, other = rng.uniform(40, 215, (2, 3))
    coarse = rng.random((6, 8)).astype(np.float32)
    blotches = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    down, across = np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j]
    slope = 1 + 0.3 * (down * rng.uniform(-1, 1) + across * rng.uniform(-1, 1))
    mixed = one + 0.6 * (other - one) * blotches
    return np.asarray(np.clip(mixed * slope[..., None], 0, 255), np.float64)


def _moved(shape: Shape, time: int, width: int, height: int) -> Shape:
    """A shape some frames later; what reaches the rim turns back."""
    area = np.array([width, height], float)
    far = np.mod(shape.at + time * shape.speed, 2 * area)
    at = np.minimum(far, 2 * area - far)
    return changed(shape, at=at, angle=shape.angle + time * shape.spin)


def changed(shape: Shape, *, at: Floats, angle: float | None = None) -> Shape:
    """The same shape in another place."""
    values = {**vars(shape), "at": at, "angle": shape.angle if angle is None else angle}
    return Shape(**values)


def _paint(canvas: Pixels, shape: Shape) -> None:
    """Draws a shape on a picture (h, w, 3) in its colours, or on a mask (h, w) as its number."""
    picture = canvas.ndim == 3
    colour = shape.colour if picture else (shape.number,) * 3
    kind = cv2.LINE_AA if picture else cv2.LINE_8
    middle, radius = _point(shape.at), round(shape.size * _SCALE * 2**_FRACTION)
    turn = np.deg2rad(shape.angle)
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    if shape.number == LINE:
        thick = round(shape.slim * _SCALE)
        if shape.ring:
            cv2.circle(canvas, middle, radius // 2, colour, thick, kind, _FRACTION)
        else:
            first, last = (_point(shape.at + side * shape.size * along) for side in (-1, 1))
            cv2.line(canvas, first, last, colour, thick, kind, _FRACTION)
    elif shape.number == PATCH:
        half = along * shape.size, across * shape.size * shape.slim
        _fill(canvas, shape.at, half, colour, kind)
        for stripe in (-0.7, -0.1, 0.5) if picture else ():
            narrow = half[0] * 0.15, half[1]
            _fill(canvas, shape.at + half[0] * (stripe + 0.1), narrow, shape.other, kind)
    else:
        cv2.circle(canvas, middle, radius, colour, -1, kind, _FRACTION)
        if picture and shape.number == DISC:  # lit from one side
            light = tuple(c * 0.6 + 100 for c in colour)
            place = _point(shape.at - shape.size * 0.3)
            cv2.circle(canvas, place, radius // 3, light, -1, kind, _FRACTION)


def _fill(
    canvas: Pixels, at: Floats, half: tuple[Floats, Floats], colour: Colour, kind: int
) -> None:
    """A rectangle from its middle and half its sides."""
    corners = [at + a * half[0] + b * half[1] for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    points = np.array([_point(corner) for corner in corners], np.int32)
    cv2.fillPoly(canvas, [points], colour, kind, _FRACTION)


def _point(at: Floats) -> tuple[int, int]:
    across, down = np.rint(at * _SCALE * 2**_FRACTION).astype(int).tolist()
    return across, down
