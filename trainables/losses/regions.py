"""Losses over areas of masks: Dice, Jaccard, Tversky and Lovász, beside cross entropy."""

from __future__ import annotations

from collections.abc import Callable

import torch

from spaces.sections.loss import Region, Tversky
from spaces.trial_config import TrialConfig
from trainables.losses.cross_entropy import entropy
from trainables.losses.pixels import mean_of_classes, weighed

Function = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

_EPS = 1e-7


def dice(config: TrialConfig) -> Function:
    """1 - Dice, the mean over classes (Milletari et al., V-Net, 3DV 2016)."""
    return _beside_entropy(config, lambda logits, targets: _areas(logits, targets, 0.5, 0.5))


def jaccard(config: TrialConfig) -> Function:
    """1 - intersection over union, the mean over classes (Rahman and Wang, ISVC 2016)."""
    return _beside_entropy(config, lambda logits, targets: _areas(logits, targets, 1.0, 1.0))


def tversky(config: TrialConfig) -> Function:
    """1 - Tversky's index to a power, the mean over classes (Salehi et al., MLMI 2017; focal:
    Abraham and Khan, ISBI 2019)."""
    settings = config.loss
    assert isinstance(settings, Tversky)
    alpha, beta, gamma = settings.tversky_alpha, settings.tversky_beta, settings.tversky_gamma
    return _beside_entropy(
        config, lambda logits, targets: _areas(logits, targets, alpha, beta, gamma)
    )


def lovasz(config: TrialConfig) -> Function:
    """The Lovász extension of 1 - intersection over union (Berman et al., CVPR 2018).

    Of softmax's errors; where classes overlap, of hinge errors, as the paper has it for two
    classes. The mean over classes, with softmax over those that are there.
    """
    return _beside_entropy(config, _lovasz)


def _beside_entropy(config: TrialConfig, region: Function) -> Function:
    """A loss over areas and cross entropy, added up in the configuration's shares."""
    settings = config.loss
    assert isinstance(settings, Region)
    share, smoothing = settings.entropy_share, settings.label_smoothing

    def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        area = region(logits, targets)
        return share * entropy(logits, targets, smoothing) + (1 - share) * area

    return loss


def _areas(
    logits: torch.Tensor, targets: torch.Tensor, alpha: float, beta: float, gamma: float = 1.0
) -> torch.Tensor:
    """The mean of ``(1 - index) ** gamma`` over the classes that the batch's targets hold.

    The intersection is the sum of minima (Wang et al., NeurIPS 2023), so that with soft targets,
    too, nothing is better than to predict them. segmentation_models_pytorch has the same formula,
    but neither weights of pixels nor a mean over only the classes that are there.
    """
    (predicted, shares), weights = weighed(logits, targets)
    actual = (weights * shares).sum(dim=1)
    both = (weights * torch.minimum(predicted, shares)).sum(dim=1)
    extra, missed = (weights * predicted).sum(dim=1) - both, actual - both
    index = both / (both + alpha * extra + beta * missed).clamp_min(_EPS)
    short = 1 - index
    if gamma != 1:  # a power below 1 has an infinite slope at 0
        short = short.clamp_min(_EPS) ** gamma
    return mean_of_classes(short, actual > 0)


def _lovasz(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    (predicted, shares), weights = weighed(logits, targets)
    overlapping = targets.ndim != logits.ndim
    if overlapping:
        scores = logits.float().transpose(0, 1).flatten(1)
        errors = torch.relu(1 - scores * (2 * shares - 1))
    else:
        errors = (shares - predicted).abs()
    # Pixels that do not count come last, where nothing is left for them to change.
    errors = torch.where(weights > 0, errors, torch.full_like(errors, -1))
    ordered, order = errors.sort(dim=1, descending=True)
    inside = (weights * shares).gather(1, order)
    outside = (weights * (1 - shares)).gather(1, order)
    actual = inside.sum(dim=1, keepdim=True)
    left = actual - inside.cumsum(dim=1)
    index = 1 - left / (actual + outside.cumsum(dim=1)).clamp_min(_EPS)
    slopes = torch.diff(index, dim=1, prepend=torch.zeros_like(actual))
    each = (ordered.clamp_min(0) * slopes.detach()).sum(dim=1)
    there = weights.sum(dim=1) > 0 if overlapping else actual[:, 0] > 0
    return mean_of_classes(each, there)
