"""What masks come to, counted pixel by pixel: slow, and plain to see."""

from __future__ import annotations

from math import hypot
from typing import Any

import numpy as np
from numpy.typing import NDArray

from results.masks.counts import TOLERANCE, VOID

Mask = NDArray[np.uint8]


def random_masks(
    rng: np.random.Generator, classes: int, *, overlapping: bool = False, void: float = 0.1
) -> tuple[Mask, Mask]:
    """A true mask with void and a predicted one that is like it; some classes may be missing."""
    height, width = rng.integers(1, 14, 2)
    shape = (height, width, classes) if overlapping else (height, width)
    highest = 2 if overlapping else classes
    coarse = rng.integers(
        0, rng.integers(1, highest + 1), [-(-n // 3) for n in shape[:2]] + list(shape[2:])
    )
    truth = coarse.repeat(3, axis=0).repeat(3, axis=1)[:height, :width].astype(np.uint8)
    predicted = np.roll(truth, rng.integers(-1, 2, 2), axis=(0, 1))
    wrong = rng.random(shape) < rng.choice([0, 0.1, 0.5])
    predicted = np.where(wrong, rng.integers(0, highest, shape), predicted).astype(np.uint8)
    truth[rng.random(shape) < void * rng.integers(0, 2)] = VOID
    return truth, predicted


def planes(mask: Mask, c: int) -> tuple[Any, Any]:
    """Of a class, and void, as (h, w) of bool."""
    if mask.ndim == 2:
        return mask == c, mask == VOID
    return mask[..., c] == 1, mask[..., c] == VOID


def edge(plane: Any, void: Any) -> list[tuple[int, int]]:
    found = []
    for y, x in zip(*np.nonzero(plane & ~void), strict=True):
        for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            inside = 0 <= v < plane.shape[0] and 0 <= u < plane.shape[1]
            if inside and not plane[v, u] and not void[v, u]:
                found.append((int(y), int(x)))
                break
    return found


def near(edge: list[tuple[int, int]], other: list[tuple[int, int]], tolerance: float) -> int:
    return sum(any(hypot(y - v, x - u) <= tolerance + 1e-9 for v, u in other) for y, x in edge)


def counted(truth: Mask, predicted: Mask, classes: int, background: int | None) -> list[float]:
    right = pixels = 0
    blocks = []
    tolerance = max(1.0, TOLERANCE * hypot(*truth.shape[:2]))
    for value, called in zip(truth.ravel().tolist(), predicted.ravel().tolist(), strict=True):
        right += value == called
        pixels += value != VOID
    for c in range(classes):
        if c == background:
            continue
        actual, void = planes(truth, c)
        called, _ = planes(predicted, c)
        block = [0, 0, 0, 0]
        for a, p, v in zip(*(m.ravel().tolist() for m in (actual, called, void)), strict=True):
            block[0] += a and p and not v
            block[1] += a and not v
            block[2] += p and not v
            block[3] += p and v
        ours, theirs = edge(called, void), edge(actual, void)
        block += [len(ours), near(ours, theirs, tolerance)]
        block += [len(theirs), near(theirs, ours, tolerance)]
        blocks.append(block)
    return [right, pixels, *(n for block in blocks for n in block)]
