"""Decoding: the one place where image files become pixels, for training and for submissions."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
"""Files in a folder that are taken for images."""


def decode(data: bytes) -> NDArray[np.uint8]:
    """Decodes an image file, turned as its EXIF orientation says.

    Returns:
        uint8 (height, width, 3) in RGB; grey images repeat their channel, alpha is dropped.

    Raises:
        ValueError: If the bytes are no image that OpenCV can decode.
    """
    if not data:
        raise ValueError("the file is empty")
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:  # such as more pixels than OpenCV allows
        raise ValueError(str(error).splitlines()[0]) from error
    if picture is None:
        raise ValueError("not an image that can be decoded")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)


AREA_FROM = 2.0
"""Shrinking by this factor or more averages areas; below, bilinear is as good and much faster."""


def resize(picture: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resizes bilinearly, or by area when shrinking a lot; returns uint8 (height, width, 3)."""
    if picture.shape[:2] == (height, width):
        return picture
    shrinks = min(picture.shape[0] / height, picture.shape[1] / width) >= AREA_FROM
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), dtype=np.uint8)
