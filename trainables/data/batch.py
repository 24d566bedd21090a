"""Some images as a network gets them, with what it learns of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from trainables.augment.rounds import Round
from trainables.data.focus import around


class Batch(NamedTuple):
    """Some images.

    Attributes:
        pictures: uint8 (n, height, width, 3).
        targets: float32 (n, …) where they are trained on; else store rows int64 (n,).
        masks: uint8 (n, height, width), class numbers or `VOID`, or (n, height, width, 1 + classes)
            as of a `soft_mask`; None where there are none.
        boxes: Of what counts in each, int64 (n, 4): left, top, right and bottom in pixels; None
            where nobody asks.
        rounds: What is left to do to them.
    """

    pictures: torch.Tensor
    targets: torch.Tensor
    masks: torch.Tensor | None = None
    boxes: torch.Tensor | None = None
    rounds: Sequence[Round] = ()

    def to(self, device: torch.device) -> Batch:
        """The same on a device, or on its way there; boxes stay where they are."""
        return Batch(
            self.pictures.to(device, non_blocking=True),
            self.targets.to(device, non_blocking=True),
            None if self.masks is None else self.masks.to(device, non_blocking=True),
            self.boxes,
            self.rounds,
        )

    def boxed(self) -> Batch:
        """The same with boxes around what masks mark in their place."""
        assert self.masks is not None
        boxes = torch.tensor([around(mask) for mask in self.masks.cpu().numpy()])
        return Batch(self.pictures, self.targets, boxes=boxes)
