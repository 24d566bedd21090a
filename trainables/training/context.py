"""What all trainings of a job have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from results.masks.truth import Truth
from results.metrics import Metric
from spaces.augmentation.candidates import Candidates
from spaces.augmentation.stress import Stress
from spaces.trial_config import TrialConfig
from trainables.data.boxes import Boxes
from trainables.data.corrections import Corrections
from trainables.data.extra import ExtraImages
from trainables.data.folds import Folds
from trainables.data.image_store import ImageStore
from trainables.data.mask_teachers import MaskTeachers
from trainables.data.teachers import Teachers
from trainables.losses.losses import Loss
from trainables.tasks.task import TrainingTask
from trainables.tasks.tasks import TRAINING_TASKS


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingContext:
    """What trials of a search have in common.

    Attributes:
        task: What the targets are.
        store: Images: training rows, then test images, then extra ones.
        resized: The same by every interpolation that is searched; empty where none are.
        folds: Targets and folds of the training rows.
        classes: Class names in the order of predictions.
        metric: The contest's metric.
        extra: Labelled images from elsewhere, the last rows of the store; None without any.
        teachers: What models of earlier promotions say, by the promotion's name.
        own: The team's own functions, by ``module:function``.
        corrections: Labels of training images that a person corrected; None without any.
        truth: True masks of training images; None where targets are of whole images.
        focus: Boxes of what counts in training images, by name; empty where there are none.
        candidates: Policies to score by inference; None for none.
        predict_test: Whether test images are predicted after the last epoch.
        stress: Under which held-out images are predicted after the last epoch; None for none.
        stress_always: Whether they are so after every epoch.
    """

    task: TrainingTask = TRAINING_TASKS["classification"]
    store: ImageStore
    resized: Mapping[str, ImageStore] = field(default_factory=dict)
    folds: Folds
    classes: tuple[str, ...]
    metric: Metric
    extra: ExtraImages | None = None
    teachers: Mapping[str, Teachers | MaskTeachers] = field(default_factory=dict)
    own: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    corrections: Corrections | None = None
    truth: Truth | None = None
    focus: Boxes = field(default_factory=dict)
    candidates: Candidates | None = None
    predict_test: bool = True
    stress: Stress | None = None
    stress_always: bool = False

    def seen_by(self, config: TrialConfig) -> TrainingContext:
        """The same with the images as a trial's interpolation resizes them."""
        store = self.resized.get(config.data.interpolation, self.store)
        return replace(self, store=store)

    @property
    def test_rows(self) -> NDArray[np.int64]:
        """Rows of the store that are test images."""
        return np.arange(len(self.folds.labels), len(self.store.images) - self._extra)

    @property
    def extra_rows(self) -> NDArray[np.int64]:
        """Rows of the store that are labelled images from elsewhere."""
        images = len(self.store.images)
        return np.arange(images - self._extra, images)

    @property
    def _extra(self) -> int:
        return 0 if self.extra is None else len(self.extra.images)

    def network(self, config: TrialConfig) -> torch.nn.Module:
        """Builds the network of a trial."""
        return self.task.network(config, len(self.classes), self.own)

    def loss(self, config: TrialConfig) -> Loss:
        """Builds the loss of a trial."""
        return self.task.loss(config, self.own)
