"""What an audit found."""

from __future__ import annotations

from dataclasses import dataclass

SEVERITIES = ("stop", "warning", "note")
"""From what makes scores meaningless to what is good to know."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """An image that a finding is about.

    Attributes:
        row: Of the looks.
        other: Row of the image that it is compared with; -1 for none.
        detail: What there is to say of it.
    """

    row: int
    other: int = -1
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that somebody should know.

    Attributes:
        name: A word or two, the same in every audit.
        severity: One of `SEVERITIES`.
        what: What was found, with its number.
        advice: What to do.
        places: The images, the worst first.
        masked: Whether they are shown with their masks.
    """

    name: str
    severity: str
    what: str
    advice: str
    places: tuple[Place, ...] = ()
    masked: bool = False

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"severity must be one of {SEVERITIES}, got {self.severity!r}")
