"""A picture of what policies do to images."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from results.reporting.fonts import take_letters_from_other_fonts

take_letters_from_other_fonts()

SIDE = 1.1
"""Inches of an image."""

WORDS, LINES = 44, 7
"""Characters of a line beside a row of images, and lines."""


def policy_sheet(rows: Sequence[tuple[str, Sequence[NDArray[np.uint8]]]]) -> Figure:
    """Rows of images, uint8 (height, width, 3) each, with words beside them."""
    columns = max(len(images) for _, images in rows)
    figure = Figure(figsize=(SIDE * columns + 3.2, SIDE * len(rows)), layout="constrained")
    grid = figure.subplots(
        len(rows), columns + 1, squeeze=False, width_ratios=[3.2 / SIDE, *[1.0] * columns]
    )
    for axes in grid.flat:
        axes.axis("off")
    for (words, images), (head, *places) in zip(rows, grid, strict=True):
        wrapped = [part for line in words.splitlines() for part in textwrap.wrap(line, WORDS)]
        if len(wrapped) > LINES:
            wrapped = [*wrapped[: LINES - 1], "…"]
        head.text(0, 0.5, "\n".join(wrapped), va="center", fontsize=7, transform=head.transAxes)
        for image, axes in zip(images, places, strict=False):
            axes.imshow(image)
    return figure
