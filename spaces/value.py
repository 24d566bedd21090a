"""What a searched parameter may be."""

from __future__ import annotations

Value = bool | int | float | str
