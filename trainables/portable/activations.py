"""From a network's outputs to predictions, by name; the same in training and in an export."""

from __future__ import annotations

from collections.abc import Callable

import torch

Outputs = torch.Tensor | tuple[torch.Tensor, torch.Tensor]
"""What a network makes of images."""


def softmax(outputs: torch.Tensor) -> torch.Tensor:
    """Probabilities of classes that exclude one another, float32 (n, classes)."""
    return torch.softmax(outputs.float(), dim=1)


def sigmoid(outputs: torch.Tensor) -> torch.Tensor:
    """Probabilities of classes, each for itself, float32 (n, classes)."""
    return torch.sigmoid(outputs.float())


def outputs_apart(outputs: Outputs) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Outputs for classes, and those of an auxiliary head (n, classes), if there is one."""
    return outputs if isinstance(outputs, tuple) else (outputs, None)


ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "softmax": softmax,
    "sigmoid": sigmoid,
}
