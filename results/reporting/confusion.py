"""The confusion matrix as a picture of vectors, which browsers draw in any script.

Every finished trial gets one: matplotlib takes a hundred times as long for it.
"""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Sequence
from html import escape

import cv2
import numpy as np
from numpy.typing import NDArray

NAMED = 25
"""Most classes whose names fit on an axis."""

SIDE = 26
"""Of a cell with a count, in pixels."""

SMALLEST, LARGEST = 240, 800
"""Sides of a matrix, in pixels."""

MOST = 400
"""Classes whose cells are drawn one by one; more are dots of one picture."""

LETTER = 6.5
"""Pixels of one, roughly."""

GAP = 22
"""For a line of text around the matrix, in pixels."""

PALE, DARK = np.array([247, 251, 255]), np.array([8, 48, 107])
"""Colours of none and of all images of a class."""


def confusion(
    labels: NDArray[np.int64], probabilities: NDArray[np.floating], classes: Sequence[str]
) -> str:
    """Shares of each true class by predicted class; counts in the cells of small matrices.

    Args:
        labels: int64 (n,).
        probabilities: (n, classes).
        classes: Their names, which pointing at a cell shows, in matrices of up to `MOST`.

    Returns:
        SVG, in letters of the reader's browser.
    """
    counts = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(counts, (labels, probabilities.argmax(axis=1)), 1)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    names = [escape(name) for name in classes]
    named = len(names) <= NAMED
    side = float(np.clip(SIDE * len(names), SMALLEST, LARGEST)) / len(names)
    left = GAP + 6 + LETTER * max(map(_letters, classes)) if named else GAP
    end = GAP + side * len(names)
    cells = [_dots(shares, left, end - GAP)]
    if len(names) <= MOST:
        cells = _cells(counts, shares, names, left, side)
    words = [
        f'<text x="{left}" y="{GAP - 8}">darker: a larger share of the true class</text>',
        _upright(GAP - 8, (GAP + end) / 2, "middle", "true"),
        f'<text x="{left + (end - GAP) / 2:g}" y="{end + left - 6:g}" text-anchor="middle">'
        "predicted</text>",
    ]
    if named:
        words += _names(names, left, end, side)
        words += _numbers(counts, shares, left, side)
    width, height = left + end - GAP + 8, end + left
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
            f'width="{width:g}" height="{height:g}" font-family="sans-serif" font-size="11">',
            '<rect width="100%" height="100%" fill="white"/>',
            _cell(left, GAP, end - GAP, 0.0) + "</rect>",
            *cells,
            *words,
            "</svg>\n",
        ]
    )


def _dots(shares: NDArray[np.float64], left: float, side: float) -> str:
    """All cells as a picture of a pixel each."""
    pixels = (PALE + shares[..., None] * (DARK - PALE)).round().astype(np.uint8)
    code = base64.b64encode(cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()).decode()
    return (
        f'<image x="{left:g}" y="{GAP}" width="{side:g}" height="{side:g}" '
        f'preserveAspectRatio="none" href="data:image/png;base64,{code}"/>'
    )


def _cells(
    counts: NDArray[np.int64],
    shares: NDArray[np.float64],
    names: Sequence[str],
    left: float,
    side: float,
) -> list[str]:
    """Those with images, each with what it says where it is pointed at."""
    return [
        _cell(left + side * told, GAP + side * true, side, shares[true, told])
        + f"<title>{names[true]} as {names[told]}: {counts[true, told]:,} "
        f"({shares[true, told]:.0%})</title></rect>"
        for true, told in np.argwhere(counts).tolist()
    ]


def _cell(x: float, y: float, side: float, share: float) -> str:
    colour = ",".join(str(round(value)) for value in PALE + share * (DARK - PALE))
    return f'<rect x="{x:g}" y="{y:g}" width="{side:g}" height="{side:g}" fill="rgb({colour})">'


def _names(names: Sequence[str], left: float, end: float, side: float) -> list[str]:
    """Beside the rows, and below the columns."""
    middles = [(i + 0.5) * side for i in range(len(names))]
    rows = [
        f'<text x="{left - 6:g}" y="{GAP + at + 4:g}" text-anchor="end">{name}</text>'
        for name, at in zip(names, middles, strict=True)
    ]
    columns = [
        _upright(left + at + 4, end + 6, "end", name)
        for name, at in zip(names, middles, strict=True)
    ]
    return rows + columns


def _upright(x: float, y: float, anchor: str, text: str) -> str:
    turned = f'transform="translate({x:g} {y:g}) rotate(-90)"'
    return f'<text {turned} text-anchor="{anchor}">{text}</text>'


def _numbers(
    counts: NDArray[np.int64], shares: NDArray[np.float64], left: float, side: float
) -> list[str]:
    return [
        f'<text x="{left + (told + 0.5) * side:g}" y="{GAP + (true + 0.5) * side + 4:g}" '
        f'text-anchor="middle" pointer-events="none" '
        f'fill="{"white" if shares[true, told] > 0.5 else "black"}">{counts[true, told]}</text>'
        for true, told in np.argwhere(counts).tolist()
    ]


def _letters(name: str) -> int:
    """Widths of a letter that a name takes; those of East Asia take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in name)
