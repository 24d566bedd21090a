"""What is wrong with masks, gathered so that one message tells it of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from results.masks.colours import ColourError, Pixel, Rgb, shown
from spaces.errors import InputError

SHOWN, COLOURS = 10, 8
"""Faults, and colours, that the message lists."""


@dataclass(kw_only=True)
class MaskFaults:
    """Faults of masks.

    Attributes:
        place: Where the mask of a row stands.
        lines: Those of one mask each.
        unknown: By row, those of colours that are not in their table.
    """

    place: Callable[[int], str]
    lines: list[str] = field(default_factory=list)
    unknown: dict[int, ColourError] = field(default_factory=dict)

    def add(self, row: int, error: Exception) -> None:
        """Takes what reading a mask raised; the message of an `InputError` says where."""
        if isinstance(error, ColourError):
            self.unknown[row] = error
        else:
            self.lines.append(
                str(error) if isinstance(error, InputError) else f"{self.place(row)}: {error}"
            )

    def check(self, masks: int) -> None:
        """Raises InputError if there are any.

        Args:
            masks: How many were read.
        """
        parts = []
        if self.lines:
            more = len(self.lines) - SHOWN
            parts.append(f"{len(self.lines)} of {masks} masks cannot be read:")
            parts += [f"  {line}" for line in self.lines[:SHOWN]]
            parts += [f"  … and {more} more"] if more > 0 else []
        if self.unknown:
            parts += self._of_colours(masks)
        if parts:
            raise InputError("\n".join(parts))

    def _of_colours(self, masks: int) -> list[str]:
        """Each colour once, those of most masks first."""
        found: dict[Rgb, list[tuple[int, Pixel]]] = {}
        for row, error in self.unknown.items():
            for colour, pixel in error.pixels.items():
                found.setdefault(colour, []).append((row, pixel))
        table = next(iter(self.unknown.values())).colours
        lines = [f"{len(self.unknown)} of {masks} masks have colours that are not in {table.path}:"]
        for colour in sorted(found, key=lambda colour: -len(found[colour]))[:COLOURS]:
            row, (x, y) = found[colour][0]
            count = len(found[colour])
            lines.append(
                f"  {shown(colour)} in {count} mask{'s' if count > 1 else ''}, first in "
                f"{self.place(row)} at x={x}, y={y}; the nearest are {table.nearest(colour)}"
            )
        more = len(found) - COLOURS
        return [*lines, f"  and {more} more"] if more > 0 else lines
