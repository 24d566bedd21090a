"""Noise for a whole batch: every image its own, in one call.

Fields of random numbers, which albumentations draws anew for each image in a millisecond or more,
are stretches of one here: as strong, but of another grain.
"""

from __future__ import annotations

import functools

import numpy as np
import torch

from trainables.augment.paints import below_top, hues

FIELDS = 2**16
"""That are told apart."""

COUNTS = 8
"""At most, in a pixel: at the highest rate, of a half, one in 10^8 would have more."""


def gaussian(images: torch.Tensor, *, sigma: torch.Tensor, field: torch.Tensor) -> torch.Tensor:
    """Adds Gaussian noise.

    Args:
        images: uint8 (k, 3, height, width).
        sigma: Standard deviation as a share of the range, float32 (k,).
        field: Which noise, int64 (k,), below `FIELDS`.
    """
    grains = grains_of(images, field)
    return (images + 255 * sigma[:, None, None, None] * grains).clamp(0, 255).to(torch.uint8)


def sensor(
    images: torch.Tensor, *, intensity: torch.Tensor, shift: torch.Tensor, field: torch.Tensor
) -> torch.Tensor:
    """Adds a sensor's noise: pixels become lighter by what is counted, and hues turn.

    Counts have the rate of the spread of an image's lightness, times the intensity.

    Args:
        images: uint8 (k, 3, height, width).
        intensity: What a count is worth, as a share of what is left to white, float32 (k,).
        shift: Standard deviation of hues in degrees, float32 (k,).
        field: Which noise, int64 (k,), below `FIELDS`.
    """
    grains = grains_of(images, field)
    sixth, spread, top = hues(images)
    total = 2 * top - spread
    light = total / 510
    strong = intensity[:, None, None]
    rate = light.flatten(1).std(dim=1, correction=0)[:, None, None] * strong
    lighter = light + counted(grains[:, 0], rate) * strong * (1 - light)
    lighter = lighter.clamp(max=1)
    vivid = spread / torch.minimum(total, 510 - total).clamp(min=1)
    half = vivid * torch.minimum(lighter, 1 - lighter)
    turned = sixth / spread.clamp(min=1) + shift[:, None, None] * grains[:, 1] / 60
    found = (lighter + half)[:, None] - 2 * half[:, None] * below_top(turned)
    return (255 * found).round().to(torch.uint8)


def grains_of(images: torch.Tensor, field: torch.Tensor) -> torch.Tensor:
    """The numbers of a field, standard normal, float32 of the images' shape."""
    fields = _normal(images[0].numel(), images.device).unfold(0, images[0].numel(), 1)
    return fields[field].view_as(images)


def counted(grains: torch.Tensor, rate: torch.Tensor) -> torch.Tensor:
    """Turns standard normal numbers into ones of Poisson distributions, at rates up to a half."""
    share = torch.special.ndtr(grains)
    chance = torch.exp(-rate)
    below, found = chance, torch.zeros_like(grains)
    for count in range(1, COUNTS + 1):
        found += share > below
        chance = chance * rate / count
        below = below + chance
    return found


@functools.lru_cache(maxsize=4)
def _normal(numbers: int, device: torch.device) -> torch.Tensor:
    """Standard normal numbers, of which every field is a stretch; the same on all devices."""
    drawn = np.random.default_rng(0).standard_normal(numbers + FIELDS - 1, dtype=np.float32)
    return torch.from_numpy(drawn).to(device)
