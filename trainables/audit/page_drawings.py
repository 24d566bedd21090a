"""What the page of an audit draws itself: classes by groups, and sizes of images."""

from __future__ import annotations

import base64
from collections import Counter
from math import log2
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from trainables.audit.evidence import Evidence

ROWS, COLUMNS = 120, 120
"""Groups and classes that are drawn."""

LISTED = 24
"""Groups that are listed."""

NAMED = 6
"""Classes of one group that are named."""

CELL = 8
"""Pixels of a square of the drawing."""

CIRCLES = 400
"""Sizes that are drawn, the most frequent first."""

_WIDTH, _HEIGHT, _EDGE = 560, 360, 44


def members(evidence: Evidence) -> dict[str, Any] | None:
    """Which classes the groups have; None where there are none."""
    groups, contest = evidence.groups, evidence.contest
    if groups is None:
        return None
    names, of, sizes_of = np.unique(groups, return_inverse=True, return_counts=True)
    shown = [contest.shows(index) for index in range(len(contest.classes))]
    counts = np.stack([np.bincount(of[rows], minlength=len(names)) for rows in shown], axis=1)
    order = np.argsort(-sizes_of, kind="stable")
    # Groups that are only proposed have no fold yet.
    fold = evidence.folds.fold if evidence.folds and contest.groups is not None else None
    several = int(((counts > 0).sum(axis=1) > 1).sum())
    return {
        "words": f"{len(names):,} {'' if contest.groups is not None else 'proposed '}groups of "
        f"{sizes_of.min():,} to {sizes_of.max():,} images, {np.median(sizes_of):g} in the median; "
        f"{several:,} of them have several classes",
        "picture": _squares(counts[order[:ROWS], :COLUMNS]) if several else "",
        "folds": fold is not None,
        "groups": [
            {
                "name": str(names[g]),
                "count": f"{sizes_of[g]:,}",
                "fold": int(fold[of == g][0]) if fold is not None else "",
                "classes": _classes(contest.classes, counts[g]),
            }
            for g in order[:LISTED].tolist()
        ],
        "more": max(0, len(names) - LISTED),
    }


def sizes(evidence: Evidence) -> dict[str, Any] | None:
    """Widths and heights; None without a readable image."""
    rows = np.flatnonzero(evidence.looks.readable)
    if not len(rows):
        return None
    table = evidence.looks.table.iloc[rows]
    shapes = table[["width", "height"]].astype(int)
    is_test = (table["table"] == "test").tolist()
    counts = Counter(zip(shapes["width"], shapes["height"], is_test, strict=True))
    limit = int(shapes.to_numpy().max())
    parts = [_axis(limit)]
    for (width, height, test), count in counts.most_common(CIRCLES):
        x = _EDGE + width / limit * (_WIDTH - 2 * _EDGE)
        y = _HEIGHT - _EDGE - height / limit * (_HEIGHT - 2 * _EDGE)
        colour = "#b3261e" if test else "#1f5f99"
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{2 + log2(count):.1f}" fill="{colour}" '
            f'fill-opacity="0.45"><title>{width} x {height}: {count:,}</title></circle>'
        )
    aspects = table["aspect"].to_numpy(float)
    words = (
        f"{len({c[:2] for c in counts}):,} sizes, from {shapes['width'].min()} x "
        f"{shapes['height'].min()} to {shapes['width'].max()} x {shapes['height'].max()}; width "
        f"over height from {aspects.min():.2f} to {aspects.max():.2f}, {np.median(aspects):.2f} in "
        "the median"
    )
    drawing = "".join(parts)
    box = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
    return {"words": words, "drawing": f'<svg {box} role="img">{drawing}</svg>'}


def _axis(limit: int) -> str:
    low, right, top = _HEIGHT - _EDGE, _WIDTH - _EDGE, _EDGE
    lines = f"M{_EDGE} {top}V{low}H{right}M{_EDGE} {low}L{right} {top}"
    return (
        f'<path d="{lines}" fill="none" stroke="#c5cbd1"/>'
        f'<text x="{right}" y="{low + 18}" font-size="12" text-anchor="end">width {limit}</text>'
        f'<text x="4" y="{top - 8}" font-size="12">height {limit}</text>'
    )


def _squares(counts: NDArray[np.int64]) -> str:
    """A PNG with a square per number, the darker the larger."""
    shade = 245 - 215 * np.log1p(counts) / np.log1p(counts.max())
    shade[counts == 0] = 255
    picture = np.kron(shade, np.ones((CELL, CELL))).astype(np.uint8)
    picture = cv2.copyMakeBorder(picture, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=[180])
    done, data = cv2.imencode(".png", picture)
    assert done
    return "data:image/png;base64," + base64.b64encode(data.tobytes()).decode()


def _classes(names: tuple[str, ...], counts: NDArray[np.int64]) -> str:
    held = np.argsort(-counts, kind="stable")[: int((counts > 0).sum())]
    told = [f"{names[c]} {counts[c]:,}" for c in held[:NAMED].tolist()]
    more = f" and {len(held) - NAMED} more" if len(held) > NAMED else ""
    return ", ".join(told) + more
