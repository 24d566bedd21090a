"""Sharpness-aware minimisation: the gradient is that of the worst place nearby."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

Measure = Callable[[], tuple[torch.Tensor, int]]
"""The loss of a micro-batch, and the images in it."""

BATCH_NORMS = (
    torch.nn.BatchNorm1d,
    torch.nn.BatchNorm2d,
    torch.nn.BatchNorm3d,
    torch.nn.SyncBatchNorm,
)


def sharpness_aware(
    model: torch.nn.Module,
    measure: Measure,
    backward: Callable[[torch.Tensor], None],
    radius: float,
    scaled: Callable[[torch.Tensor], torch.Tensor],
) -> tuple[torch.Tensor, int]:
    """Differentiates a micro-batch's loss where it is worst within a radius, to first order.

    Foret et al., ICLR 2021, with every micro-batch on its own. Both forward passes see the same
    images, mixed and dropped out alike, and only the first counts for batch normalisation.

    Args:
        model: The network.
        measure: Called at the weights as they are, and again uphill.
        backward: Called with the second loss, before the weights go back.
        radius: Length of the way uphill.
        scaled: What a loss is multiplied with so that half precision holds its gradient.

    Returns:
        What ``measure`` gave at the weights as they are.
    """
    again = _draws()
    loss, images = measure()
    weights = [w for w in model.parameters() if w.requires_grad]
    slopes = torch.autograd.grad(scaled(loss), weights, allow_unused=True)
    steps = [
        (w, s, w.detach().clone()) for w, s in zip(weights, slopes, strict=True) if s is not None
    ]
    norm = float(torch.nn.utils.get_total_norm([slope for _, slope, _ in steps]))
    with torch.no_grad():
        for weight, slope, _ in steps if math.isfinite(norm) and norm > 0 else ():
            weight.add_(slope, alpha=radius / norm)
    again()
    with _still(model):
        backward(measure()[0])
    with torch.no_grad():
        for weight, _, before in steps:
            weight.copy_(before)
    return loss, images


def _draws() -> Callable[[], None]:
    """Remembers the global generators; called, it sets them back."""
    numpy, cpu = np.random.get_state(), torch.get_rng_state()
    gpu = torch.cuda.get_rng_state() if torch.cuda.is_available() else None

    def again() -> None:
        np.random.set_state(numpy)
        torch.set_rng_state(cpu)
        if gpu is not None:
            torch.cuda.set_rng_state(gpu)

    return again


@contextmanager
def _still(model: torch.nn.Module) -> Iterator[None]:
    """Batch normalisation learns nothing meanwhile."""
    norms = [(m, m.momentum) for m in model.modules() if isinstance(m, BATCH_NORMS)]
    for norm, _ in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in norms:
            norm.momentum = momentum
