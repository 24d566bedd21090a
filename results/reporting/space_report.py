"""A search space in words."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spaces.param import When
    from spaces.space import SearchSpace

WIDE = 60
"""Characters of a range or a condition that are shown."""

WIDTH = 100
"""Columns of the lines below the table."""


def space_page(space: SearchSpace) -> list[str]:
    """A table of the parameters, how many there are, and what is left out.

    Args:
        space: Pinned and narrowed.
    """
    rows = [["parameter", "kind", "range", "where"]]
    for param in space.params:
        where = " and ".join(_condition(condition) for condition in param.when)
        rows.append([param.name, param.kind, _short(param.choices()), _short(where)])
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]
    always = sum(not param.when for param in space.params)
    missing = space.missing()
    many = "1 parameter" if len(space.params) == 1 else f"{len(space.params)} parameters"
    return [
        *lines,
        "",
        f"{space.name}: {many}, {always} of them in every trial; digest {space.digest}",
        *(textwrap.wrap(f"left out: {'; '.join(missing)}", WIDTH) if missing else ()),
    ]


def _condition(condition: When) -> str:
    values = ", ".join(map(str, condition.values))
    return f"{condition.parameter} is {values}"


def _short(text: str) -> str:
    return text if len(text) <= WIDE else text[: WIDE - 1] + "…"
