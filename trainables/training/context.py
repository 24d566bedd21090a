"""What all trainings of a job have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from results.metrics import Metric
from spaces.trial_config import TrialConfig
from trainables.data.corrections import Corrections
from trainables.data.folds import Folds
from trainables.data.image_store import ImageStore
from trainables.losses.losses import Loss
from trainables.tasks.task import TrainingTask
from trainables.tasks.tasks import TRAINING_TASKS


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingContext:
    """What trials of a search have in common.

    Attributes:
        task: What the targets are.
        store: Images, training rows first.
        folds: Targets and folds of the training rows.
        classes: Class names in the order of predictions.
        metric: The contest's metric.
        own: The team's own functions, by ``module:function``.
        corrections: Labels of training images that a person corrected; None without any.
        predict_test: Whether test images are predicted after the last epoch.
    """

    task: TrainingTask = TRAINING_TASKS["classification"]
    store: ImageStore
    folds: Folds
    classes: tuple[str, ...]
    metric: Metric
    own: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    corrections: Corrections | None = None
    predict_test: bool = True

    def network(self, config: TrialConfig) -> torch.nn.Module:
        """Builds the network of a trial."""
        return self.task.network(config, len(self.classes), self.own)

    def loss(self, config: TrialConfig) -> Loss:
        """Builds the loss of a trial."""
        return self.task.loss(config, self.own)
