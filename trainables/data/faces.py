"""Drawn faces: people, sessions with a background and a light, and pictures of both."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 64
"""Height and width of a picture in pixels."""

MASKS = ("right", "wrong", "without")
"""How a mask is worn."""

_SCALE = 4
"""Pictures are drawn so many times larger, so that edges are smooth."""

_MARGIN = 8
"""Pixels of background around a picture, into which the camera may move."""

_FRACTION = 4
"""Binary digits after the point of the coordinates of what is drawn."""

_FABRICS = ((245, 245, 245), (214, 178, 130), (60, 60, 60), (190, 160, 225), (140, 200, 150))
"""Colours of masks (BGR), which say nothing of who wears them."""

Colour = tuple[float, float, float]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Person:
    """What stays the same in all pictures of somebody.

    Attributes:
        skin: BGR.
        hair: BGR, grey with age.
        clothes: BGR.
        width: Half the width of the face in pixels.
        height: Half its height in pixels.
        length: Of the hair, in half heights of the face: at 1 it ends at the ears.
        fringe: How far it covers the forehead, in half heights.
        brows: Thickness of the brows in pixels.
        eyes: Distance of each eye from the middle of the face, in half widths.
        mouth: Half its width, in half widths of the face.
        lines: How deep the lines of the forehead and beside the eyes are, 0 to 1.
    """

    skin: Colour
    hair: Colour
    clothes: Colour
    width: float
    height: float
    length: float
    fringe: float
    brows: float
    eyes: float
    mouth: float
    lines: float

    @staticmethod
    def draw(rng: np.random.Generator, *, female: bool, years: int) -> Person:
        """Draws somebody; gender and age shift what varies among all people anyway."""
        side = 0.5 if female else -0.5  # of a standard deviation
        old = (years - 18) / 62
        tone = rng.random()
        skin = _mixed((90, 125, 170), (185, 205, 240), tone)
        dark = _mixed((25, 30, 40), (70, 120, 165), rng.random() ** 2)
        grey = float(np.clip(rng.normal(0.7 * old, 0.25), 0, 1))
        hue = np.array([[[rng.integers(180), rng.integers(60, 220), rng.integers(60, 230)]]])
        blue, green, red = cv2.cvtColor(hue.astype(np.uint8), cv2.COLOR_HSV2BGR)[0, 0].tolist()
        return Person(
            skin=skin,
            hair=_mixed(dark, (190, 190, 190), grey),
            clothes=(blue, green, red),
            width=rng.normal(14.5 - 0.8 * side, 1.0),
            height=rng.normal(18.5, 1.0),
            length=float(np.clip(rng.normal(1.2 + 1.0 * side, 0.5), 0.3, 2.3)),
            fringe=rng.uniform(0.05, 0.23),
            brows=float(np.clip(rng.normal(1.5 - 0.6 * side, 0.5), 0.5, 3)),
            eyes=rng.uniform(0.36, 0.48),
            mouth=rng.uniform(0.25, 0.42),
            lines=float(np.clip(rng.normal(0.7 * old, 0.25), 0, 1)),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Session:
    """What the pictures of one session share.

    Attributes:
        background: uint8 (80, 80, 3), a little larger than a picture.
        light: float (3,), what colours are multiplied by.
    """

    background: Pixels
    light: NDArray[np.float64]

    @staticmethod
    def draw(rng: np.random.Generator) -> Session:
        """Draws a wall with a pattern, and a light."""
        side = SIDE + 2 * _MARGIN
        one, other = rng.uniform(40, 230, (2, 3))
        coarse = rng.random((5, 5)).astype(np.float32)
        pattern = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_LINEAR)
        across, down = np.meshgrid(np.arange(side), np.arange(side))
        angle, period = rng.uniform(0, np.pi), rng.uniform(7, 20)
        along = across * np.cos(angle) + down * np.sin(angle)
        stripes = np.sin(2 * np.pi * along / period) > 0
        weight = rng.uniform(0, 0.5)
        share = np.clip((1 - weight) * pattern + weight * stripes, 0, 1)[..., None]
        wall = one * share + other * (1 - share)
        return Session(
            background=np.rint(wall).astype(np.uint8),
            light=rng.uniform(0.75, 1.15) * rng.uniform(0.93, 1.07, 3),
        )


def photograph(person: Person, session: Session, mask: str, rng: np.random.Generator) -> Pixels:
    """Takes a picture.

    Args:
        person: Who.
        session: Where.
        mask: One of `MASKS`.
        rng: Draws the pose, the mask's colour and place, and the noise.

    Returns:
        uint8 (64, 64, 3), BGR.
    """
    left, top = rng.integers(0, 2 * _MARGIN + 1, 2).tolist()
    wall = session.background[top : top + SIDE, left : left + SIDE]
    large = cv2.resize(wall, None, fx=_SCALE, fy=_SCALE, interpolation=cv2.INTER_LINEAR)
    head = _Head(large, person, rng)
    head.draw(person, rng)
    if mask == "right":
        head.cover(rng, top=rng.uniform(-0.05, 0.1))
    elif mask == "wrong":
        head.cover(rng, top=rng.uniform(0.38, 0.62))
    photo = cv2.resize(large, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    lit = photo * (session.light * rng.uniform(0.94, 1.06)) + rng.normal(0, 4, photo.shape)
    return np.asarray(np.clip(np.rint(lit), 0, 255), np.uint8)


class _Head:
    """A head in a picture: where it is, and how to draw on it.

    Places on it are in half widths to the right, and half heights down, of the face's middle.
    """

    def __init__(self, canvas: Pixels, person: Person, rng: np.random.Generator) -> None:
        self._canvas = canvas
        zoom = rng.uniform(0.93, 1.07)
        self._middle = np.array([32, 31]) + rng.uniform(-3, 3, 2)
        self._size = np.array([person.width, person.height]) * zoom
        self._tilt = float(rng.uniform(-9, 9))
        cos, sin = np.cos(np.deg2rad(self._tilt)), np.sin(np.deg2rad(self._tilt))
        self._turn = np.array([[cos, -sin], [sin, cos]])

    def draw(self, person: Person, rng: np.random.Generator) -> None:
        """Draws somebody without a mask."""
        self._oval((0, 2.15), (1.9, 0.95), person.clothes)
        if person.length > 1:  # behind the neck
            reach = person.length - 1
            self._box((-1.08, -0.2), (1.08, 0.15 + reach), person.hair)
        self._box((-0.38, 0.7), (0.38, 1.4), _shade(person.skin, 0.88))
        self._oval((0, -0.12), (1.12, 1.08), person.hair)
        self._oval((0, 0), (1, 1), person.skin)
        self._oval((0, -0.95), (0.8, person.fringe), person.hair)
        beside = min(person.length, 1.0)
        for side in (-1, 1):
            self._box((side * 1.08, -0.5), (side * 0.9, beside - 0.65), person.hair)
            self._features(person, side)
        for height in (-0.5, -0.4):  # across the forehead
            self._line((-0.4, height), (0.4, height), _shade(person.skin, 1 - 0.3 * person.lines))
        self._line((0, -0.1), (0.04, 0.3), _shade(person.skin, 0.75), 1.2)
        self._oval((0.02, 0.32), (0.13, 0.06), _shade(person.skin, 0.75))
        smile = rng.uniform(-0.04, 0.08)
        lips = _mixed(person.skin, (70, 60, 170), 0.6)
        self._line((-person.mouth, 0.6), (0, 0.6 + smile), lips, 1.4)
        self._line((0, 0.6 + smile), (person.mouth, 0.6), lips, 1.4)

    def _features(self, person: Person, side: int) -> None:
        """An eye with its brow and the lines beside it."""
        eye = side * person.eyes
        self._oval((eye, -0.15), (0.16, 0.08), (235, 235, 235))
        self._oval((eye, -0.15), (0.08, 0.08), (40, 35, 30))
        brow = _shade(person.hair, 0.7)
        self._line((eye - 0.18, -0.31), (eye + 0.18, -0.31), brow, person.brows)
        for height in (-0.1, 0.0):
            line = _shade(person.skin, 1 - 0.3 * person.lines)
            self._line((eye + side * 0.2, height), (eye + side * 0.36, height + 0.05), line)

    def cover(self, rng: np.random.Generator, top: float) -> None:
        """Puts a mask on.

        Args:
            rng: Draws its colour.
            top: Its upper edge; at 0 it covers the nose.
        """
        fabric = _FABRICS[int(rng.integers(len(_FABRICS)))]
        low = min(top + 0.95, 1.05)
        shape = [(-0.9, top + 0.1), (0, top), (0.9, top + 0.1), (0.72, low - 0.2), (0, low)]
        shape.append((-0.72, low - 0.2))
        for side in (-1, 1):
            self._line((side * 0.85, top + 0.15), (side * 1.02, -0.1), _shade(fabric, 0.9))
        points = np.array([self._at(place) for place in shape])
        cv2.fillPoly(self._canvas, [_fixed(points)], fabric, cv2.LINE_AA, _FRACTION)
        for fold in (0.35, 0.55, 0.75):
            height = top + fold * (low - top)
            self._line((-0.65, height), (0.65, height), _shade(fabric, 0.88), 0.8)

    def _at(self, place: tuple[float, float]) -> NDArray[np.float64]:
        at: NDArray[np.float64] = self._turn @ (np.array(place) * self._size) + self._middle
        return at * _SCALE

    def _oval(self, place: tuple[float, float], radii: tuple[float, float], colour: Colour) -> None:
        axes = np.array(radii) * self._size * _SCALE
        cv2.ellipse(self._canvas, _point(self._at(place)), _point(axes), self._tilt, 0, 360, colour,
                    -1, cv2.LINE_AA, _FRACTION)  # fmt: skip

    def _box(self, one: tuple[float, float], other: tuple[float, float], colour: Colour) -> None:
        corners = [one, (other[0], one[1]), other, (one[0], other[1])]
        points = np.array([self._at(corner) for corner in corners])
        cv2.fillPoly(self._canvas, [_fixed(points)], colour, cv2.LINE_AA, _FRACTION)

    def _line(
        self,
        one: tuple[float, float],
        other: tuple[float, float],
        colour: Colour,
        thick: float = 0.7,
    ) -> None:
        ends = _point(self._at(one)), _point(self._at(other))
        cv2.line(self._canvas, *ends, colour, round(thick * _SCALE), cv2.LINE_AA, _FRACTION)


def _point(at: NDArray[np.float64]) -> tuple[int, int]:
    across, down = _fixed(at).tolist()
    return across, down


def _fixed(at: NDArray[np.float64]) -> NDArray[np.int32]:
    fixed: NDArray[np.int32] = np.rint(at * 2**_FRACTION).astype(np.int32)
    return fixed


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    blue, green, red = (a * (1 - share) + b * share for a, b in zip(one, other, strict=True))
    return blue, green, red


def _shade(colour: Colour, factor: float) -> Colour:
    blue, green, red = (c * factor for c in colour)
    return blue, green, red
