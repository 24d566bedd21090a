"""Mixing the images of a batch, by name; a new one is a function and a line here."""

from __future__ import annotations

from collections.abc import Callable

import torch

import trainables.portable.torchvision_cure  # noqa: F401 (has to come before timm)
from spaces.sections.mixing import BOX_CUTMIX, SNAPMIX, CopyPaste, Pairs
from spaces.trial_config import TrialConfig
from trainables.parts import Parts
from trainables.training.box_cutmix import box_cutmix
from trainables.training.snapmix import snapmix

# isort: split
from timm.data.mixup import Mixup

Mix = Callable[[torch.Tensor, torch.Tensor, torch.Tensor | None], tuple[torch.Tensor, torch.Tensor]]
"""From images (n, 3, height, width) and targets (n, …), or (n, …, height, width), to mixed ones;
and boxes int64 (n, 4) of what counts in the images, where the mixing keeps to them."""

BuildMix = Callable[[TrialConfig, torch.nn.Module], Mix]
"""From a configuration and the network that is trained."""


def _none(config: TrialConfig, model: torch.nn.Module) -> Mix:
    return lambda images, targets, boxes: (images, targets)


def _pairs(config: TrialConfig, model: torch.nn.Module) -> Mix:
    """timm's mixup, CutMix, or either; it draws from numpy's global generator.

    timm mixes class indices only. Given the images' places in the batch instead, it says how much
    of which image is in each, and any target is mixed in these shares; masks are mixed as the
    images are.
    """
    settings, count = config.mix, config.run.images_at_once
    assert isinstance(settings, Pairs)
    alphas = {
        f"{kind}_alpha": settings.mix_alpha if kind in settings.kind.split("_or_") else 0.0
        for kind in ("mixup", "cutmix")
    }
    mixup = Mixup(
        **alphas,
        prob=settings.mix_probability,
        label_smoothing=0.0,  # the loss smooths
        num_classes=count,
    )

    def mix(
        images: torch.Tensor, targets: torch.Tensor, boxes: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        places = torch.arange(count, device=images.device)
        if targets.ndim >= images.ndim:  # of pixels, which go where the image's own go
            joined, _ = mixup(torch.cat([images, targets.flatten(1, -3)], dim=1), places)
            channels = images.shape[1]
            return joined[:, :channels], joined[:, channels:].reshape(targets.shape)
        mixed, shares = mixup(images, places)
        return mixed, torch.tensordot(shares, targets, dims=1)

    return mix


def _copy_paste(config: TrialConfig, model: torch.nn.Module) -> Mix:
    """Regions of masks with the pixels under them; it draws from torch's global generator."""
    settings = config.mix
    assert isinstance(settings, CopyPaste)

    def mix(
        images: torch.Tensor, targets: torch.Tensor, boxes: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        count, classes = targets.shape[:2]
        # Drawn on the CPU, so that a device changes nothing.
        partner = (torch.arange(count) + torch.randint(1, max(2, count), (count,))) % count
        chance = torch.where(torch.rand(count) < settings.paste_probability, 0.5, 0.0)
        drawn = (torch.rand(count, classes) < chance[:, None]).to(targets.device)
        partner = partner.to(targets.device)
        # Of what test images may be in shares, the largest says what is there.
        there = ((targets > 0) & (targets == targets.amax(dim=1, keepdim=True)))[partner]
        areas = there.flatten(2).sum(dim=2)
        drawn.scatter_(1, areas.argmax(dim=1, keepdim=True), False)
        pasted = (there & drawn[:, :, None, None]).any(dim=1, keepdim=True)
        return (
            torch.where(pasted, images[partner], images),
            torch.where(pasted, targets[partner], targets),
        )

    return mix


MIXINGS: Parts[BuildMix] = Parts(
    "mix",
    {
        "none": _none,
        "mixup": _pairs,
        "cutmix": _pairs,
        "mixup_or_cutmix": _pairs,
        BOX_CUTMIX: box_cutmix,
        SNAPMIX: snapmix,
        "copy_paste": _copy_paste,
    },
)
