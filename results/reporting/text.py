"""Words, numbers and tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from results.records.closing import Comparison


def format_seconds(seconds: float) -> str:
    """``4 s``, ``3 min 20 s`` or ``2 h 5 min``."""
    total = round(seconds)
    if total < 60:
        return f"{total} s"
    if total < 3600:
        return f"{total // 60} min {total % 60} s"
    return f"{total // 3600} h {total % 3600 // 60} min"


def gain(comparison: Comparison) -> str:
    """``+1.3 ± 0.8``, in points; without an interval after one seed."""
    if comparison.margin is None:
        return f"{comparison.gain:+.1f}"
    return f"{comparison.gain:+.1f} ± {comparison.margin:.1f}"


def in_words(params: Mapping[str, Any]) -> str:
    """Parameters as ``name=value``, numbers to three digits."""
    return ", ".join(
        f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in params.items()
    )


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Aligns columns: the first left, the rest right, the last left again."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(w) if i in (0, len(row) - 1) else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def enumerated(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if parts[1:] else parts)
