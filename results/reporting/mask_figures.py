"""Figures of masks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from results.reporting.fonts import take_letters_from_other_fonts

take_letters_from_other_fonts()


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
