"""AutoAugment's SolarizeAdd as an albumentations transform; albumentations has no equal.

An exported policy carries this file along.
"""

from __future__ import annotations

from typing import Any

import albumentations as A  # noqa: N812 (the library's own convention)
import cv2
import numpy as np
from albumentations.core.transforms_interface import BaseTransformInitSchema
from numpy.typing import NDArray

_MIDDLE = 128
"""Grey level from which on pixels stay as they are."""


class SolarizeAdd(A.ImageOnlyTransform):  # type: ignore[misc]
    """Adds to what is darker than the middle of the range (Cubuk et al., CVPR 2019).

    Args:
        added_range: What is added is drawn uniformly, as a share of the range of grey levels.
        p: Probability.
    """

    class InitSchema(BaseTransformInitSchema):  # type: ignore[misc]
        """Checks the arguments."""

        added_range: tuple[float, float]

    @classmethod
    def get_class_fullname(cls) -> str:
        """Its name in a serialised policy, wherever this file lies."""
        return "holdfold.SolarizeAdd"

    def __init__(self, added_range: tuple[float, float] = (0.0, 0.4), p: float = 0.5) -> None:
        super().__init__(p=p)
        self.added_range = added_range

    def get_params(self) -> dict[str, Any]:
        """Draws what is added, in grey levels."""
        return {"added": round(255 * self.py_random.uniform(*self.added_range))}

    def apply(self, img: NDArray[np.uint8], added: int, **_: Any) -> NDArray[np.uint8]:
        """Returns uint8 of the shape of ``img``."""
        levels = np.arange(256)
        table = np.where(levels < _MIDDLE, np.minimum(levels + added, 255), levels)
        return np.asarray(cv2.LUT(img, table.astype(np.uint8)), dtype=np.uint8)
