"""An estimate and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate with its interval at 95 %."""

    value: float
    low: float
    high: float
