"""Figures of masks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

from results.masks.counts import VOID
from results.reporting.fonts import take_letters_from_other_fonts

take_letters_from_other_fonts()

OPACITY = 0.55
"""Of a mask over its image."""


def colours(classes: int) -> NDArray[np.uint8]:
    """A colour per class, uint8 (classes, 3), in turn the twenty of matplotlib's ``tab20``."""
    table = np.array(colormaps["tab20"].colors)  # type: ignore[attr-defined]
    return np.asarray(np.rint(255 * table[np.arange(classes) % len(table)]), np.uint8)


def overlay(picture: NDArray[np.uint8], labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A mask in colours over its image; void pixels stay black.

    Args:
        picture: uint8 (height, width, 3).
        labels: uint8 (height, width), class indices or `VOID`.

    Returns:
        uint8 (height, width, 3).
    """
    over = colours(VOID + 1)[labels]
    mixed = (1 - OPACITY) * picture + OPACITY * over
    return np.asarray(np.where((labels == VOID)[..., None], 0, np.rint(mixed)), np.uint8)


def class_bars(table: pd.DataFrame) -> Figure:
    """Intersection over union and F1 of boundaries of every class, the worst first."""
    figure = Figure(figsize=(6.4, 0.3 * len(table) + 1.4), layout="constrained")
    axes = figure.add_subplot()
    rows = np.arange(len(table))[::-1]
    axes.barh(rows + 0.2, table["iou"].fillna(0), 0.38, label="IoU")
    axes.barh(rows - 0.2, table["boundary_f1"].fillna(0), 0.38, label="F1 of boundaries")
    axes.set_yticks(rows, table["name"])
    axes.set_xlim(0, 1)
    axes.grid(axis="x", alpha=0.3)
    axes.legend(loc="lower right", fontsize=7)
    return figure
