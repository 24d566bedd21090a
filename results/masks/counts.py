"""What a predicted mask's comparison with the truth comes to, as counts that add up over images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from results.metrics import Floats

VOID = 255
"""Value of pixels of a true mask that nobody is judged on."""

TOLERANCE = 0.0075
"""How far a boundary may be off, as a share of the image's diagonal (Csurka et al., What is a good
evaluation measure for semantic segmentation?, BMVC 2013)."""

Mask = NDArray[np.uint8]
"""uint8 (h, w) of class indices, or (h, w, classes) of 0 and 1 where classes overlap."""

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Counts by name; each is float64 (…), or (…, judged classes).

    Pixels are those that are not void. Where classes overlap, `right` and `pixels` count decisions:
    a pixel has as many as there are classes.

    Attributes:
        right: Pixels whose class is predicted.
        pixels: All pixels.
        intersection: Pixels that are of a class, and predicted as it.
        actual: Pixels of a class.
        predicted: Pixels predicted as it.
        over_void: Void pixels predicted as it.
        predicted_edge: Pixels of its predicted boundary.
        predicted_near: Of these, those within the tolerance of its actual boundary.
        actual_edge: Pixels of its actual boundary.
        actual_near: Of these, those within the tolerance of its predicted boundary.
    """

    right: Floats
    pixels: Floats
    intersection: Floats
    actual: Floats
    predicted: Floats
    over_void: Floats
    predicted_edge: Floats
    predicted_near: Floats
    actual_edge: Floats
    actual_near: Floats

    @staticmethod
    def of(vectors: Floats) -> Counts:
        """Takes vectors (…, 2 + 8 x judged classes), or sums of them, apart."""
        blocks = vectors[..., 2:].reshape(*vectors.shape[:-1], -1, 8)
        return Counts(
            right=vectors[..., 0],
            pixels=vectors[..., 1],
            intersection=blocks[..., 0],
            actual=blocks[..., 1],
            predicted=blocks[..., 2],
            over_void=blocks[..., 3],
            predicted_edge=blocks[..., 4],
            predicted_near=blocks[..., 5],
            actual_edge=blocks[..., 6],
            actual_near=blocks[..., 7],
        )


def judged(classes: int, background: int | None) -> list[int]:
    """Classes that have counts of their own, in their order: all but the background."""
    return [c for c in range(classes) if c != background]


def compare(
    truth: Mask, predicted: Mask, classes: int, background: int | None, *, edges: bool = True
) -> Floats:
    """Counts of one image.

    Boundaries are the pixels of a class beside a pixel of another one; nothing is known of void
    pixels, so that a boundary neither lies on them nor is made by them.

    Args:
        truth: uint8 (h, w) of class indices or `VOID`; or (h, w, classes) of 0, 1 or `VOID` where
            classes overlap.
        predicted: The same form, without void.
        classes: Number of classes, the background included.
        background: Index of the class that is not judged, if any: its pixels can be right.
        edges: Whether boundaries are compared; their counts are 0 otherwise.

    Returns:
        float64 (2 + 8 x judged classes,); `Counts.of` says what each is.
    """
    if truth.ndim == 2:
        head, areas = _exclusive(truth, predicted, classes)
    else:
        head, areas = _overlapping(truth, predicted)
    blocks = np.zeros((classes, 8))
    blocks[:, :4] = areas
    kept = judged(classes, background)
    if edges:
        # Rounded, so that 0.75 % of 400 pixels are 3 whatever the last bit says.
        tolerance = max(1.0, round(TOLERANCE * float(np.hypot(*truth.shape[:2])), 6))
        for c in kept:
            if blocks[c, 1] or blocks[c, 2]:
                blocks[c, 4:] = _edges(*_planes(truth, predicted, c), tolerance)
    return np.concatenate([head, blocks[kept].ravel()])


def _exclusive(truth: Mask, predicted: Mask, classes: int) -> tuple[list[float], NDArray[Any]]:
    """Right pixels and pixels; areas (classes, 4), from the matrix of who is taken for whom."""
    void = truth == VOID
    row = np.where(void, np.uint8(classes), truth).astype(np.intp)
    cells = np.bincount((row * classes + predicted).ravel(), minlength=(classes + 1) * classes)
    by_pair = cells.reshape(classes + 1, classes)
    known = by_pair[:classes]
    hits = known.diagonal()
    areas = np.stack([hits, known.sum(axis=1), known.sum(axis=0), by_pair[classes]], axis=1)
    return [float(hits.sum()), float(known.sum())], areas


def _overlapping(truth: Mask, predicted: Mask) -> tuple[list[float], NDArray[Any]]:
    """The same where every class has a plane of its own."""
    actual, void, called = truth == 1, truth == VOID, predicted == 1
    planes = (actual & called, actual, called & ~void, called & void)
    areas = np.stack([np.count_nonzero(plane, axis=(0, 1)) for plane in planes], axis=1)
    right = float(np.count_nonzero((actual == called) & ~void))
    return [right, float(np.count_nonzero(~void))], areas


def _planes(truth: Mask, predicted: Mask, c: int) -> tuple[Mask, Mask, Mask]:
    """Whether pixels are actually of class ``c``, predicted as it, and void: uint8 (h, w) each."""
    if truth.ndim == 2:
        planes = truth == c, predicted == c, truth == VOID
    else:
        planes = truth[..., c] == 1, predicted[..., c] == 1, truth[..., c] == VOID
    actual, called, void = (plane.view(np.uint8) for plane in planes)
    return actual, called, void


def _edges(actual: Mask, predicted: Mask, void: Mask, tolerance: float) -> list[int]:
    """Pixels of the predicted boundary, those near the actual one; and the other way round."""
    import cv2  # here and below, where masks are looked at: records are read without

    left, top, width, height = cv2.boundingRect(actual | predicted)
    # Outside lies no boundary, and one pixel more tells where they are.
    window = np.s_[max(top - 1, 0) : top + height + 1, max(left - 1, 0) : left + width + 1]
    truth_edge, called_edge = (
        _edge(np.ascontiguousarray(plane[window]), np.ascontiguousarray(void[window]))
        for plane in (actual, predicted)
    )
    disc = _disc(tolerance)
    found = []
    for edge, other in ((called_edge, truth_edge), (truth_edge, called_edge)):
        near = edge & cv2.dilate(other, disc)
        found += [cv2.countNonZero(edge), cv2.countNonZero(near)]
    return found


def _edge(plane: Mask, void: Mask) -> Mask:
    """Pixels of a class that have one of another class above, below or beside them."""
    import cv2

    inner = cv2.erode(plane | void, _CROSS)
    return np.asarray(plane & (1 - void) & (1 - inner), np.uint8)


def _disc(radius: float) -> Mask:
    """Offsets of at most ``radius`` pixels, uint8 (side, side)."""
    whole = int(radius)
    down, across = np.mgrid[-whole : whole + 1, -whole : whole + 1]
    return np.asarray(down**2 + across**2 <= radius**2, np.uint8)
