"""Several classes per pixel: a sigmoid per class at every pixel."""

from __future__ import annotations

import torch

from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from trainables.tasks.segmentation import Segmentation


class MultilabelSegmentation(Segmentation):
    """As where classes exclude each other; every class is told from all else."""

    name = "multilabel_segmentation"
    activation = "sigmoid"

    def compared(self, targets: torch.Tensor) -> torch.Tensor:
        """How much a pixel is of each class, and how much it is not."""
        return torch.stack([targets, 1 - targets], dim=2)

    def check(self, config: TrialConfig) -> None:
        """Refuses what takes a class from others, too."""
        super().check(config)
        if config.mix.kind == "copy_paste":
            raise InputError(
                "mix=copy_paste puts regions of one class over what else is there, but these "
                "classes overlap (data.overlapping=true): mixup and cutmix go with them"
            )
