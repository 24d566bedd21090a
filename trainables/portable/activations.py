"""From a network's outputs to predictions, by name; the same in training and in an export."""

from __future__ import annotations

from collections.abc import Callable

import torch


def softmax(outputs: torch.Tensor) -> torch.Tensor:
    """Probabilities of classes that exclude one another, float32 (n, classes)."""
    return torch.softmax(outputs.float(), dim=1)


ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {"softmax": softmax}
