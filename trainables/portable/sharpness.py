"""PIL's sharpness as an albumentations transform; albumentations has no equal.

An exported policy carries this file along.
"""

from __future__ import annotations

from typing import Any

import albumentations as A  # noqa: N812 (the library's own convention)
import cv2
import numpy as np
from albumentations.core.transforms_interface import BaseTransformInitSchema
from numpy.typing import NDArray

_SMOOTH = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], np.float32) / 13


class Sharpness(A.ImageOnlyTransform):  # type: ignore[misc]
    """Blends an image with its smoothed self, as PIL's ``ImageEnhance.Sharpness`` does.

    Args:
        factor_range: The factor is drawn uniformly; 0 smooths, 1 changes nothing, 2 sharpens.
        p: Probability.
    """

    class InitSchema(BaseTransformInitSchema):  # type: ignore[misc]
        """Checks the arguments."""

        factor_range: tuple[float, float]

    @classmethod
    def get_class_fullname(cls) -> str:
        """Its name in a serialised policy, wherever this file lies."""
        return "holdfold.Sharpness"

    def __init__(self, factor_range: tuple[float, float] = (0.5, 1.5), p: float = 0.5) -> None:
        super().__init__(p=p)
        self.factor_range = factor_range

    def get_params(self) -> dict[str, Any]:
        """Draws the factor."""
        return {"factor": self.py_random.uniform(*self.factor_range)}

    def apply(self, img: NDArray[np.uint8], factor: float, **_: Any) -> NDArray[np.uint8]:
        """Returns uint8 of the shape of ``img``; the one-pixel border is kept, as in PIL."""
        smooth = img.copy()
        smooth[1:-1, 1:-1] = cv2.filter2D(img, -1, _SMOOTH)[1:-1, 1:-1]
        return np.asarray(cv2.addWeighted(img, factor, smooth, 1 - factor, 0), dtype=np.uint8)
