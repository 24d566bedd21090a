"""What masks say that are not numbers of classes in image files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

Order = Literal["", "column", "row"]
"""How run lengths number pixels; empty where masks are no run lengths."""

Colour = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Notation:
    """How masks name their classes, so that others of the same contest can be read.

    Attributes:
        names: Class names by number; empty where masks have numbers only.
        colours: Red, green and blue by number, where masks are in colour.
        order: Of run lengths.
    """

    names: tuple[str, ...] = ()
    colours: tuple[Colour, ...] = ()
    order: Order = ""

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @staticmethod
    def of(text: str) -> Notation:
        """Inverse of `text`.

        Raises:
            ValueError, KeyError, TypeError: If it is no such text.
        """
        found = json.loads(text)
        colours = tuple((int(r), int(g), int(b)) for r, g, b in found["colours"])
        return Notation(names=tuple(found["names"]), colours=colours, order=found["order"])
