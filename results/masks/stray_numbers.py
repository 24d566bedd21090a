"""Numbers of masks that are hardly classes: apart from the others, and in next to no mask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from spaces.errors import InputError

FEW = 0.01
"""Share of the masks up to which a number that lies apart is taken for a mistake; one mask always
is. A number in more of them was written on purpose, and one beside others may be a rare class."""

TOGETHER = 2
"""Runs that the others are in at most: one, or a black and a white one."""

SHOWN = 8
"""Further numbers that the message lists."""


class StrayNumberError(InputError):
    """A number of masks may be none of a class."""


def check_numbers(
    rows: Mapping[int, Sequence[int]], void: int, masks: int, place: Callable[[int], str]
) -> None:
    """Checks that every number may well be a class.

    Where fewer than two others are left, as of 0 and 255, none is taken for a mistake, nor where
    the others lie apart as well, as multiples of ten do.

    Args:
        rows: The masks that each number occurs in.
        void: Number of pixels that count for nothing; -1 for none.
        masks: How many there are.
        place: Where the mask of a row stands, for messages.

    Raises:
        StrayNumberError: Naming a number with its first mask, and what to set.
    """
    few = max(1, FEW * masks)
    runs = [[number for number in run if number != void] for run in _runs(rows)]
    stray = [n for run in runs if all(len(rows[n]) <= few for n in run) for n in run]
    others = [n for run in runs for n in run if n not in stray]
    if not stray or len(others) < 2 or len(_runs(others)) > TOGETHER:
        return
    number = stray[0]
    nearest = min(others, key=lambda other: abs(other - number))
    more = ", ".join(map(str, stray[1 : SHOWN + 1])) + (", …" if len(stray) > SHOWN + 1 else "")
    alone = void == -1 and not more
    raise StrayNumberError(
        f"{place(rows[number][0])}: is {number} the number of a class? It is in "
        f"{len(rows[number]):,} of {masks:,} masks, first in this one, and the nearest other is "
        f"{nearest}{f'; so it is with {more}' if more else ''}; data.classes= names the classes "
        f"of all {len(stray) + len(others)} numbers if it is, and if not, "
        + (f"data.void={number} leaves its pixels out" if alone else "such masks are to be mended")
    )


def _runs(numbers: Iterable[int]) -> list[list[int]]:
    """Numbers that follow one another without a gap, together."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if not found or number > found[-1][-1] + 1:
            found.append([])
        found[-1].append(number)
    return found
