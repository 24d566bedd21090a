"""The closed table of augmentation operations that a policy is made of.

A *limit* says how strong an operation may get, in the operation's own unit; each image gets a
draw between the identity and the limit, in both directions where there are two (the grid's mask
has a fixed size, and a tilt's corners are drawn normally). Ready
spaces search a strength from 0 to 1, which `Operation.at` maps to limits up to `searched`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from spaces.errors import InputError, unknown


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One row of the table.

    Attributes:
        name: Name in policies and parameters.
        words: How the report describes it; ``{}`` takes the limit with its unit.
        unit: Unit of the limit; empty for a ratio.
        identity: Limit at which nothing changes; None for an operation without a strength.
        searched: Limit at strength 1 in the ready spaces.
        widest: Furthest limit a policy may state.
        moves_pixels: Whether it changes geometry, so that masks have to follow.
        swaps_sides: Whether height and width change places, which needs square images.
    """

    name: str
    words: str
    unit: str = ""
    identity: float | None = None
    searched: float = 0.0
    widest: float = 0.0
    moves_pixels: bool = False
    swaps_sides: bool = False

    @property
    def has_limit(self) -> bool:
        """False for flips and the like, which only have a probability."""
        return self.identity is not None

    def at(self, strength: float) -> float | None:
        """Limit for a strength in [0, 1] of the searched range; None without a limit."""
        if self.identity is None:
            return None
        if not 0 <= strength <= 1:
            raise InputError(f"strength of {self.name!r} must be within 0 to 1, got {strength:g}")
        return self.identity + strength * (self.searched - self.identity)

    def check(self, limit: float | None) -> None:
        """Raises InputError unless ``limit`` is one that this operation can take."""
        if self.identity is None:
            if limit is not None:
                raise InputError(f"operation {self.name!r} takes no limit, got {limit}")
            return
        low, high = sorted((self.identity, self.widest))
        if limit is None or not low <= limit <= high:
            unit = f" {self.unit.strip()}" if self.unit.strip() not in ("", "%") else ""
            raise InputError(
                f"limit of {self.name!r} must be within {low:g} to {high:g}{unit}, got {limit}"
            )

    def describe(self, limit: float | None) -> str:
        """The operation at ``limit`` in words."""
        return self.words if limit is None else self.words.format(self.amount(limit))

    def amount(self, limit: float) -> str:
        """A limit with its unit."""
        return f"{limit:.0%}" if self.unit == "%" else f"{limit:.3g}{self.unit}"


def _row(
    name: str,
    words: str,
    unit: str = "",
    *limits: float,
    moves_pixels: bool = False,
    swaps_sides: bool = False,
) -> Operation:
    """``limits`` are identity, searched and widest; none for an operation without a strength."""
    identity, searched, widest = limits or (None, 0.0, 0.0)
    return Operation(
        name=name,
        words=words,
        unit=unit,
        identity=identity,
        searched=searched,
        widest=widest,
        moves_pixels=moves_pixels,
        swaps_sides=swaps_sides,
    )


_geometry = functools.partial(_row, moves_pixels=True)

_ROWS = (
    _geometry("horizontal_flip", "mirror left and right"),
    _geometry("vertical_flip", "mirror top and bottom"),
    _geometry("rotate", "rotate by up to ±{}", "°", 0, 30, 180),
    _geometry("shear_x", "shear sideways by up to ±{}", "°", 0, 20, 60),
    _geometry("shear_y", "shear upwards by up to ±{}", "°", 0, 20, 60),
    _geometry("translate_x", "shift sideways by up to ±{} of the width", "%", 0, 0.3, 1),
    _geometry("translate_y", "shift upwards by up to ±{} of the height", "%", 0, 0.3, 1),
    _geometry("scale", "scale by up to ±{}", "%", 0, 0.4, 0.9),
    _geometry("crop", "crop to no less than {} of the area", "%", 1, 0.25, 0.05),
    _geometry("perspective", "tilt, moving corners by about {}", "%", 0, 0.2, 0.45),
    _geometry("grid_distortion", "distort a grid by up to ±{} of a cell", "%", 0, 0.5, 0.9),
    _row("brightness", "change brightness by up to ±{}", "%", 0, 0.5, 0.99),
    _row("contrast", "change contrast by up to ±{}", "%", 0, 0.5, 0.99),
    _row("saturation", "change colour saturation by up to ±{}", "%", 0, 0.7, 0.99),
    _row("hue", "turn the hue by up to ±{} of the circle", "%", 0, 0.1, 0.5),
    _row("sharpness", "change sharpness by up to ±{}", "%", 0, 0.9, 0.99),
    _row("posterize", "drop up to {} of 8 bits", "", 0, 4, 7),
    _row("solarize", "invert the brightest {} of the grey levels", "%", 0, 0.5, 1),
    _row("autocontrast", "stretch the contrast to the full range"),
    _row("equalize", "equalise the histogram"),
    _row("blur", "blur with a Gaussian of sigma up to {}", " px", 0, 2, 8),
    _row("noise", "add Gaussian noise of up to {} of the range", "%", 0, 0.15, 0.5),
    _row("compression", "compress as JPEG, losing up to {} quality points", "", 0, 80, 99),
    _row("cutout", "cut out one rectangle of up to {} of either side", "%", 0, 0.5, 0.9),
    _row("grid_mask", "mask squares of {} of the side of every grid cell", "%", 0, 0.6, 0.9),
)

_FURTHER = (
    _geometry("transpose", "swap rows and columns", swaps_sides=True),
    _geometry("rotate90", "turn by a multiple of 90°", swaps_sides=True),
    _geometry("elastic", "displace smoothly by a field of strength {}", "", 0, 60, 200),
    _row("gamma", "change gamma by up to ±{}", "%", 0, 0.5, 0.9),
    _row("solarize_add", "brighten the darker half by up to {} of the range", "%", 0, 0.4, 1),
    _row("clahe", "equalise locally, clipping at up to {}", "", 1, 4, 16),
    _row("invert", "invert"),
    _row("gray", "take the colour away"),
    _row("motion_blur", "blur along a line of up to {}", " px", 1, 9, 31),
    _row("defocus", "defocus by up to {}", " px", 0, 4, 10),
    _row("iso_noise", "add a sensor's noise of up to {}", "%", 0, 0.5, 1),
    _row("downscale", "lose up to {} of the resolution", "%", 0, 0.5, 0.9),
    _row("erasing", "replace a rectangle of up to {} of the area", "%", 0, 0.3, 0.9),
    _row("shadow", "cast a shadow of up to {}", "%", 0, 0.5, 1),
    _row("fog", "lay fog of up to {} over it", "%", 0, 0.5, 1),
)
"""For teams that know that they need them; ready spaces leave them out, since every choice more
asks for more trials."""

COMMON = tuple(row.name for row in _ROWS)
"""Operations that ready spaces search."""

OPERATIONS: dict[str, Operation] = {row.name: row for row in (*_ROWS, *_FURTHER)}


def swaps_sides(name: str) -> bool:
    """Whether it is the name of an operation that needs square images."""
    return name in OPERATIONS and OPERATIONS[name].swaps_sides


def operation(name: str) -> Operation:
    """Looks an operation up.

    Raises:
        InputError: If there is none of that name; the message lists the table.
    """
    if name not in OPERATIONS:
        raise unknown("operation", name, OPERATIONS)
    return OPERATIONS[name]
