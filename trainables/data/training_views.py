"""Images as a training sees them: preprocessed, cut out and augmented."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spaces.augmentation.policy import AugPolicy
from spaces.sections.data import Windows
from spaces.sections.section import Size
from spaces.trial_config import TrialConfig
from trainables.augment import Augmenter
from trainables.augment.rounds import Step
from trainables.data.crops import Cropper
from trainables.portable.preprocessing import PREPROCESSINGS

Pixels = NDArray[np.uint8]


class TrainingViews:
    """Turns stored images into training views; draws belong to seed, epoch and image.

    Args:
        config: Size, policy and seed.
        side: Height and width of the stored images in pixels; 0 where they keep their proportions.
        kind: What augments them.
    """

    def __init__(self, config: TrialConfig, side: int, kind: type[Augmenter] = Augmenter) -> None:
        self._config, self._side, self._kind = config, side, kind
        self._made: tuple[int, tuple[AugPolicy, Size], Augmenter] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_made": None}

    def __call__(
        self, picture: Pixels, mask: Pixels | None, epoch: int, shown: int
    ) -> dict[str, Pixels]:
        """An image as it is trained on, and its mask if it has one.

        Args:
            picture: As it is stored, uint8 (height, width, 3).
            mask: uint8 (height, width), or a `soft_mask`; None without masks.
            epoch: From 1.
            shown: Number that the draws belong to.

        Returns:
            ``image``, uint8 (height, width, 3) of the training size, and ``mask``.
        """
        return self.drawn(picture, mask, epoch, shown)[0]

    def drawn(
        self, picture: Pixels, mask: Pixels | None, epoch: int, shown: int
    ) -> tuple[dict[str, Pixels], list[Step]]:
        """The same, with what is left to do to it as part of a batch."""
        augmenter = self._augmenter_at(epoch)
        picture = PREPROCESSINGS[self._config.data.preprocess](picture)
        if mask is not None and isinstance(self._config.data, Windows):
            cropper = Cropper(self._config.data, self._config.run.seed)
            picture, mask = cropper(picture, mask, epoch, shown)
        return augmenter.drawn(picture, epoch, shown, mask)

    def _augmenter_at(self, epoch: int) -> Augmenter:
        """The pipeline of an epoch; made once per worker unless policy or size change."""
        if self._made is not None and self._made[0] == epoch:
            return self._made[2]
        c = self._config
        progress = (epoch - 1) / max(1, c.run.epochs - 1)
        policy, size = c.policy.at(progress), c.data.size_at(progress)
        if self._made is not None and self._made[1] == (policy, size):
            augmenter = self._made[2]
        else:
            side = self._side or max(size)
            augmenter = self._kind(policy, size, c.run.seed, side, c.data.fill)
        self._made = epoch, (policy, size), augmenter
        return augmenter
