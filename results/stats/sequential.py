"""Looking several times at a growing sample without claiming more than once would."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from results.metrics import Floats

CELLS = 1201
"""Cells of the grid on which sample paths are followed; levels are within 1 % of finer ones."""

POWER = 4.0
"""Of the share of looks: early looks may spend little, since few seeds can agree by luck."""


def spent(level: float, looks: int) -> Floats:
    """What all looks up to each may err, looks numbered from 2 to ``looks``.

    A power family of error-spending functions (Kim and DeMets 1987) in the share of looks; not in
    the share of information, which small samples overestimate just when they mislead.

    Args:
        level: Of all looks together.
        looks: Number of the last look; the first one claims nothing.

    Returns:
        float64 (looks - 1,), the last of them ``level``.
    """
    return level * (np.arange(2, looks + 1) / looks) ** POWER


def nominal_levels(errors: Floats, information: Floats) -> Floats:
    """One-sided levels of single looks that together err as often as they may.

    The statistic's sample path has independent increments in information (the inverse of the
    estimate's variance), and its distribution over the paths that have not crossed a boundary yet
    is followed from look to look (Lan and DeMets 1983; Jennison and Turnbull 2000, chapter 19).

    Args:
        errors: Chance of a crossing up to each look, without a difference; growing.
        information: Of each look; growing.

    Returns:
        float64, a level for each look.
    """
    edge = 9 * float(information[-1]) ** 0.5
    cells = np.linspace(-edge, edge, CELLS)
    step = cells[1] - cells[0]
    mass: NDArray[np.float64] = np.zeros(0)
    found, before, known = [], 0.0, 0.0
    for error, here in zip(errors, information, strict=True):
        spread = max(here - known, step**2 * 1e-6) ** 0.5
        moved = np.diff(
            scipy.stats.norm.cdf(np.append(cells, edge + step) - step / 2, scale=spread)
        )
        mass = np.convolve(mass, moved, "same") if len(mass) else moved
        above = np.cumsum(mass[::-1])
        boundary = float(np.interp(error - before, above, (cells - step / 2)[::-1]))
        found.append(float(scipy.stats.norm.sf(boundary, scale=here**0.5)))
        mass = mass * np.clip((boundary - cells) / step + 0.5, 0, 1)
        before, known = float(error), float(here)
    return np.array(found)
