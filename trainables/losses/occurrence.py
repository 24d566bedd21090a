"""The loss of an auxiliary head, which tells the classes that occur, beside that of masks."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional

Function = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def beside_occurrence(
    loss: Function, weight: float
) -> Callable[[tuple[torch.Tensor, torch.Tensor], torch.Tensor], torch.Tensor]:
    """A loss of masks plus the binary cross entropy of which classes occur.

    Args:
        loss: From logits and targets (n, classes, h, w) to a scalar.
        weight: How much the other part counts.

    Returns:
        A function of both outputs, logits of masks and of what occurs (n, classes), and the targets
        of masks.
    """

    def both(outputs: tuple[torch.Tensor, torch.Tensor], targets: torch.Tensor) -> torch.Tensor:
        logits, occurs = outputs
        return loss(logits, targets) + weight * occurrence(occurs, targets)

    return both


def occurrence(occurs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Binary cross entropy of which classes occur in an image.

    That a class does not occur is as sure as the share of the pixels that is known.

    Args:
        occurs: Logits (n, classes).
        targets: (n, classes, h, w), or (n, classes, 2, h, w) where classes overlap; 0 where nothing
            is known.
    """
    own = targets if targets.ndim == 4 else targets[:, :, 0]
    there = (own.flatten(2) > 0).any(dim=2)
    known = (targets.flatten(1, -3).sum(dim=1) > 0).to(torch.float32).mean(dim=(1, 2))
    sure = torch.where(there, 1.0, known[:, None])
    each = functional.binary_cross_entropy_with_logits(
        occurs.float(), there.float(), reduction="none"
    )
    return (sure * each).sum() / sure.sum().clamp_min(torch.finfo(torch.float32).tiny)
