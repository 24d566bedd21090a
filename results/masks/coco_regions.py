"""What an annotation of COCO covers: polygons, or run lengths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_tools

from results.masks.coco_counts import counts_of
from results.masks.rle import Bools, of_counts
from spaces.errors import InputError


def region_of(segmentation: Any, height: int, width: int, place: str) -> Bools:
    """What an annotation covers.

    Polygons are drawn by COCO's own tools: those of OpenCV cover other pixels at every edge.

    Args:
        segmentation: Polygons, each a list of x and y in turn; or a mapping with the image's
            ``size`` and ``counts``, run lengths as a list or as COCO's text.
        height: Of the image.
        width: Of the image.
        place: File, annotation and image, for messages.

    Returns:
        bool (height, width).

    Raises:
        InputError: If it is no such thing, or does not fit the image.
    """
    if isinstance(segmentation, Mapping):
        return _of_runs(segmentation, height, width, place)
    if not isinstance(segmentation, list) or not segmentation:
        raise InputError(
            f"{place}: a list of polygons or run lengths are needed, got {segmentation!r:.60}"
        )
    for polygon in segmentation:
        _check_polygon(polygon, height, width, place)
    polygons = [[float(number) for number in polygon] for polygon in segmentation]
    rle = coco_tools.merge(coco_tools.frPyObjects(polygons, height, width))
    return of_counts(counts_of(rle["counts"].decode("ascii")), height, width, "column")


def _check_polygon(polygon: Any, height: int, width: int, place: str) -> None:
    if not isinstance(polygon, list):
        raise InputError(f"{place}: a polygon is a list of x and y in turn, got {polygon!r:.60}")
    for number in polygon:
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise InputError(f"{place}: {number!r:.60} is no coordinate of a polygon")
    if len(polygon) % 2 or len(polygon) < 6:
        raise InputError(
            f"{place}: a polygon is three or more pairs of x and y, got {len(polygon)} numbers"
        )
    for values, side, axis in ((polygon[::2], width, "x"), (polygon[1::2], height, "y")):
        for value in values:
            # A little outside is common; what is drawn costs as much as it is long.
            if not -side <= value <= 2 * side:
                raise InputError(
                    f"{place}: {axis}={value!r:.30} of a polygon is far outside of {width} x "
                    f"{height} pixels"
                )


def _of_runs(segmentation: Mapping[str, Any], height: int, width: int, place: str) -> Bools:
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if size != [height, width]:
        raise InputError(
            f"{place}: its run lengths are of an image of {size!r:.60} (height, width), not of "
            f"[{height}, {width}]"
        )
    try:
        if isinstance(counts, str):
            lengths: NDArray[np.int64] = counts_of(counts)
        elif isinstance(counts, list) and all(type(count) is int for count in counts):
            lengths = np.array(counts, np.int64)
        else:
            raise ValueError
    except (ValueError, OverflowError):
        raise InputError(
            f"{place}: run lengths are whole numbers or COCO's text, got {counts!r:.60}"
        ) from None
    if (lengths < 0).any():
        raise InputError(f"{place}: a run length is below 0: {lengths.min()}")
    if sum(lengths.tolist()) != height * width:
        raise InputError(
            f"{place}: its run lengths add up to {sum(lengths.tolist())}, but {height} x {width} "
            f"pixels are {height * width}"
        )
    return of_counts(lengths, height, width, "column")
