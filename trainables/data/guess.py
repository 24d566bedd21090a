"""One option of a contest, as its folder suggests it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Guess:
    """One option.

    Attributes:
        option: Its name below ``data.``.
        value: What it seems to be.
        why: What speaks for it.
    """

    option: str
    value: Any
    why: str
