"""What all trainings of a job have in common."""

from __future__ import annotations

from dataclasses import dataclass

from results.metrics import Metric
from trainables.data.folds import Folds
from trainables.data.image_store import ImageStore
from trainables.networks.timm_network import BuildModel, build_model
from trainables.training.losses import BuildLoss, build_loss


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingContext:
    """What trials of a search have in common.

    Attributes:
        store: Images, training rows first.
        folds: Labels and folds of the training rows.
        classes: Class names in the order of probabilities.
        metric: The contest's metric.
        model: A team's own network, or timm's.
        loss: A team's own loss, or cross entropy.
        predict_test: Whether test images are predicted after the last epoch.
    """

    store: ImageStore
    folds: Folds
    classes: tuple[str, ...]
    metric: Metric
    model: BuildModel = build_model
    loss: BuildLoss = build_loss
    predict_test: bool = True
