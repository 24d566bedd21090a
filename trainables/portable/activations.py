"""From a network's outputs to predictions, by name; the same in training and in an export."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

import torch
from torch.nn.functional import log_softmax, logsigmoid

Outputs = torch.Tensor | tuple[torch.Tensor, torch.Tensor]
"""What a network makes of images."""


def softmax(outputs: torch.Tensor) -> torch.Tensor:
    """Probabilities of classes that exclude one another, float32 (n, classes)."""
    return torch.softmax(outputs.float(), dim=1)


def sigmoid(outputs: torch.Tensor) -> torch.Tensor:
    """Probabilities of classes, each for itself, float32 (n, classes)."""
    return torch.sigmoid(outputs.float())


def softmax_mean(outputs: Iterable[torch.Tensor]) -> torch.Tensor:
    """Outputs whose softmax is the mean of those of several, float32 (n, classes, …)."""
    return functools.reduce(torch.logaddexp, (log_softmax(one.float(), dim=1) for one in outputs))


def sigmoid_mean(outputs: Iterable[torch.Tensor]) -> torch.Tensor:
    """Outputs whose sigmoid is the mean of those of several, float32 (n, classes, …)."""
    logs = (torch.stack([logsigmoid(one.float()), logsigmoid(-one.float())]) for one in outputs)
    either: torch.Tensor = functools.reduce(torch.logaddexp, logs)
    return either[0] - either[1]


def outputs_apart(outputs: Outputs) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Outputs for classes, and those of an auxiliary head (n, classes), if there is one."""
    return outputs if isinstance(outputs, tuple) else (outputs, None)


def in_fp32(outputs: Outputs) -> Outputs:
    """The same numbers in float32, in which losses are computed."""
    if isinstance(outputs, tuple):
        return outputs[0].float(), outputs[1].float()
    return outputs.float()


ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "softmax": softmax,
    "sigmoid": sigmoid,
}

MEANS: dict[str, Callable[[Iterable[torch.Tensor]], torch.Tensor]] = {
    "softmax": softmax_mean,
    "sigmoid": sigmoid_mean,
}
"""By the same names: from outputs of several networks to those of their mean prediction."""
