"""A stress as the pipeline that moves stored images towards the test."""

from __future__ import annotations

import albumentations as A  # noqa: N812 (the library's own convention)
import cv2
import numpy as np
from numpy.typing import NDArray

from spaces.augmentation.policy import AugPolicy
from trainables.augment.augmenter import Augmenter
from trainables.portable.images import resize

SEED = 0
"""Of the draws, which depend on it and on the image only: every trial sees the same pictures."""


class Stressed(Augmenter):
    """Moves stored images towards the test before they are resized, as a view does.

    What it does may be told from the test by its strength only: borders are reflected instead of
    black, a tilt keeps the whole picture, noise has no colour of its own, and pixels are
    interpolated at the stored size by a kernel that hardly smooths.

    Args:
        policy: For images of this side.
        side: Height and width of the stored images in pixels.
    """

    def __init__(self, policy: AugPolicy, side: int) -> None:
        super().__init__(policy, (side, side), SEED, side)
        for transform in self.transforms:
            if hasattr(transform, "interpolation"):
                transform.interpolation = cv2.INTER_CUBIC
            if isinstance(transform, A.Affine | A.Perspective):
                transform.border_mode = cv2.BORDER_REFLECT_101
            if isinstance(transform, A.Perspective):
                transform.fit_output = True
            if isinstance(transform, A.GaussNoise):
                transform.per_channel = False

    def moved(self, picture: NDArray[np.uint8], row: int) -> NDArray[np.uint8]:
        """A stored image under the stress, of its own size.

        Args:
            picture: uint8 (side, side, 3), as the store has it.
            row: Of the store, which its draws belong to.
        """
        return self(picture, 0, row)["image"]

    def view(
        self, picture: NDArray[np.uint8], row: int, size: tuple[int, int]
    ) -> NDArray[np.uint8]:
        """The same, resized to height and width in pixels."""
        return resize(self.moved(picture, row), *size)
