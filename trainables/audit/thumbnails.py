"""Pictures that stand within a page."""

from __future__ import annotations

import base64
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from results.masks.label_map import nearest
from results.masks.overlay import overlay
from trainables.portable.images import decode, resize

SIDE = 96
"""Longest side of a picture on a page."""

QUALITY = 85
"""Of JPEG: with it a hundred pictures take a third of a megabyte."""


def thumbnail(path: Path, mask: NDArray[np.uint8] | None = None) -> str:
    """An image file, reduced, as a source within the page.

    Args:
        path: The file.
        mask: Of classes, drawn over it: uint8 (height, width), of any size; None for none.
    """
    picture = decode(path.read_bytes())
    height, width = picture.shape[:2]
    factor = SIDE / max(height, width)
    height, width = max(1, round(height * factor)), max(1, round(width * factor))
    small = resize(picture, height, width)
    return encoded(small if mask is None else overlay(small, nearest(mask, height, width)))


def encoded(picture: NDArray[np.uint8]) -> str:
    """A picture, uint8 (height, width, 3), as a JPEG within the page."""
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    assert done
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()
