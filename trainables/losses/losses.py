"""The losses by name; a new one is a file and a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from spaces.trial_config import TrialConfig
from trainables.losses.binary import binary
from trainables.losses.boundary import boundary
from trainables.losses.cross_entropy import cross_entropy
from trainables.losses.focal import focal
from trainables.losses.regions import dice, jaccard, lovasz, tversky
from trainables.losses.soft_f1 import soft_f1
from trainables.losses.total import total
from trainables.parts import Parts

Loss = Callable[[Any, torch.Tensor], torch.Tensor]
"""From logits (n, classes) and targets (n, classes) to a scalar, the mean over the images.

An image's targets are probabilities times its weight, so that they add up to the weight: 1, unless
it counts less or more. A loss is linear in them, or takes the weight from their sum.

For masks both are (n, classes, h, w), and every pixel has a weight, 0 for what is void, so that
it counts for nothing; the mean is over pixels that count. Where classes overlap, targets are
(n, classes, 2, h, w): how much a pixel is of a class, and how much it is not. Beside an
auxiliary head, outputs are a pair: logits of masks, and of which classes occur (n, classes).
"""

BuildLoss = Callable[[TrialConfig], Loss]

LOSSES: Parts[BuildLoss] = Parts(
    "loss",
    {
        "cross_entropy": cross_entropy,
        "focal": focal,
        "binary": binary,
        "soft_f1": soft_f1,
        "dice": dice,
        "jaccard": jaccard,
        "lovasz": lovasz,
        "tversky": tversky,
        "boundary": boundary,
        "sum": total,
    },
)
