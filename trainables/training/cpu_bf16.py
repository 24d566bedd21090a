"""Whether a CPU trains a network faster in bf16, which a few steps tell.

On a processor that computes bf16 itself ordinary convolutions take about half of the time; those
that run channel by channel, and attention between few patches, take longer, and on other processors
all do. What is measured decides, so that nobody needs to know the processor.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import nn

from trainables.portable.activations import outputs_apart
from trainables.training.device import MEMORY_FORMAT

Size = tuple[int, int]
"""Height and width in pixels."""

WORTH = 100
"""Steps that a training has at least, for the measurement to take a hundredth of it or so."""

IMAGES = 16
"""Of a step that is measured, at most."""

TIMES = 3
"""Steps of each kind, the fastest of which counts, after one that warms up."""

FASTER = 1.1
"""How many times as fast steps have to be, so that it is not the moment that decides."""

HOPELESS = 2.0
"""Times as long as in fp32 after which a step is not repeated, such as where bf16 is emulated."""

NEAR = 0.9
"""How large the error of a gradient may be, as a share of the gradient. Rounding makes up to 0.4 of
it in the first layers of networks that have learned nothing yet."""

Gradients = list[torch.Tensor]


def bf16(*, enabled: bool = True) -> AbstractContextManager[Any]:
    """Context of forward passes in bf16 on a CPU."""
    return torch.autocast("cpu", torch.bfloat16, enabled=enabled)


def bf16_pays(
    model: nn.Module,
    images: int,
    size: Size,
    smallest: Size,
    beat: Callable[[], None] = lambda: None,
) -> bool:
    """Whether steps in bf16 are clearly faster here, and right.

    Args:
        model: The network, on the CPU; it is left as it is.
        images: Of a forward pass.
        size: Of the images in the end.
        smallest: Of the images in the beginning.
        beat: Called at every step.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        tried = copy.deepcopy(model).train()
        if _reaches_beyond_a_pixel(tried, smallest):
            return False
        step = _step_of(tried, min(images, IMAGES), size)
        plain, _ = step(False)
        took: dict[bool, list[float]] = {False: [], True: []}
        for number in range(1 + TIMES):
            for half in (True, False):
                beat()
                gradients, seconds = step(half)
                if half and not _near(gradients, plain):
                    return False
                if number:
                    took[half].append(seconds)
            if number and took[True][-1] > HOPELESS * took[False][-1]:
                return False
    return min(took[False]) > FASTER * min(took[True])


def _reaches_beyond_a_pixel(model: nn.Module, size: Size) -> bool:
    """Whether some convolution is larger than what it is given, of which a single pixel is left.

    In bf16 parts of its gradient are then what lay in memory before (torch 2.13).
    """
    found: list[bool] = []

    def look(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        assert isinstance(module, nn.Conv2d)
        found.append(inputs[0].shape[2:].numel() == 1 and max(module.kernel_size) > 1)

    hooks = [m.register_forward_pre_hook(look) for m in model.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        model(torch.zeros(2, 3, *size))
    for hook in hooks:
        hook.remove()
    return any(found)


def _step_of(
    model: nn.Module, images: int, size: Size
) -> Callable[[bool], tuple[Gradients, float]]:
    """A step in bf16 or not, of the same images every time: the gradients of what is multiplied
    with, and seconds of this process."""
    pictures = torch.randn(images, 3, *size).contiguous(memory_format=MEMORY_FORMAT)
    factors = [weight for weight in model.parameters() if weight.dim() > 1]
    noise: list[torch.Tensor] = []

    def step(half: bool) -> tuple[Gradients, float]:
        torch.manual_seed(0)  # the same units drop out
        model.zero_grad(set_to_none=True)
        begun = time.process_time()
        with bf16(enabled=half):
            outputs = outputs_apart(model(pictures))[0].float()
        if not noise:
            noise.append(torch.randn_like(outputs))
        (outputs * noise[0]).mean().backward()  # type: ignore[no-untyped-call]
        seconds = time.process_time() - begun
        return [w.grad.clone() for w in factors if w.grad is not None], seconds

    return step


def _near(found: Gradients, plain: Gradients) -> bool:
    """Whether gradients differ by rounding at most; what is not finite does not."""
    norm = torch.linalg.vector_norm
    return all(bool(norm(a - b) <= NEAR * norm(b)) for a, b in zip(found, plain, strict=True))
