"""What losses over masks have in common: what a mean is over, and classes that overlap."""

from __future__ import annotations

import torch

Pair = tuple[torch.Tensor, torch.Tensor]


def mean(each: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The mean over the images, or over the pixels that count.

    Args:
        each: float (n,), or (n, h, w), 0 where the weight is 0.
        weights: The same shape.
    """
    if each.ndim == 1:
        return each.mean()
    return each.sum() / (weights > 0).sum().clamp_min(1)


def paired(logits: torch.Tensor, targets: torch.Tensor) -> Pair:
    """Where classes overlap, each as two that exclude each other: it and all else.

    Args:
        logits: float (n, classes, …).
        targets: The same shape; or, where classes overlap, (n, classes, 2, …), how much a pixel is
            of a class and how much it is not, which add up to its weight.

    Returns:
        Both as they are, or as (n x classes, 2, …): the softmax over two of which one is 0 is the
        sigmoid of the other.
    """
    if targets.ndim == logits.ndim:
        return logits, targets
    both = torch.stack([logits, torch.zeros_like(logits)], dim=2)
    return both.flatten(0, 1), targets.flatten(0, 1)


def weighed(logits: torch.Tensor, targets: torch.Tensor) -> tuple[Pair, torch.Tensor]:
    """Predictions and truth, a row per class.

    Args:
        logits: float (n, classes, h, w).
        targets: As of `paired`.

    Returns:
        Probabilities and shares of the class, and weights: float (classes, n x h x w) each.
        Predictions and truth of a pixel without weight are of no meaning.
    """
    if targets.ndim == logits.ndim:
        predicted = torch.softmax(logits.float(), dim=1)
        weights = targets.sum(dim=1, keepdim=True).expand_as(targets)
    else:
        predicted = torch.sigmoid(logits.float())
        targets, weights = targets[:, :, 0], targets.sum(dim=2)
    shares = targets / weights.clamp_min(torch.finfo(torch.float32).tiny)
    rows = [t.transpose(0, 1).flatten(1) for t in (predicted, shares.float(), weights.float())]
    return (rows[0], rows[1]), rows[2]


def mean_of_classes(each: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
    """The mean over the classes that are there; 0 where none is.

    Args:
        each: float (classes,).
        there: bool (classes,).
    """
    return torch.where(there, each, 0).sum() / there.sum().clamp_min(1)
