"""MixMatch: a training that learns from test images without anybody's labels."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from spaces.sections.run import MixMatch
from spaces.trial_config import TrialConfig
from trainables.data.batch import Batch
from trainables.data.loader import TrainingLoader
from trainables.data.samplings import Draw, Ints, unlabelled_rows
from trainables.data.training_set import TrainingSet
from trainables.inference.predict import to_input
from trainables.training.context import TrainingContext
from trainables.training.fit import fit
from trainables.training.ranks import ALONE, Ranks
from trainables.training.state import TrainingState

VIEWS = 2
"""Augmentations of an unlabelled image, over which the guess of its label is averaged."""


class MixMatchState(TrainingState):
    """A training whose steps see as many test images as labelled ones, each in `VIEWS` views.

    Berthelot et al., NeurIPS 2019. The label of a test image is guessed from its views, made more
    certain, and held against what is predicted of mixtures of all images. They go through the
    network together, so that batch normalisation sees one distribution.
    """

    def __init__(
        self, config: TrialConfig, context: TrainingContext, workers: int, ranks: Ranks = ALONE
    ) -> None:
        super().__init__(config, context, workers, ranks)
        rows = unlabelled_rows(config, context)
        images = len(context.store.images)
        unlabelled = TrainingSet(
            rows=rows,
            targets=np.zeros((images, len(context.classes)), np.float32),
            strata=np.zeros(images, np.int64),
        )
        shown = len(self.loader) * self.cut.run.images_at_once
        self._unlabelled = TrainingLoader(
            self.cut,
            context.store,
            unlabelled,
            workers,
            _in_views(rows, shown),
            device=self.device.target,
            mine=lambda number: ranks.mine(number // VIEWS),
        )

    def batches(self, epoch: int) -> Iterator[tuple[Batch, torch.Tensor]]:
        """Labelled batches, each with the views of as many test images."""
        views = (batch.pictures for batch in self._unlabelled.epoch(epoch))
        for labelled in self.loader.epoch(epoch):
            yield labelled, torch.cat([next(views) for _ in range(VIEWS)])

    def placed(self, batch: tuple[Batch, torch.Tensor]) -> tuple[Batch, torch.Tensor]:
        """Both on the device, or on their way there."""
        labelled, views = batch
        return super().placed(labelled), views.to(self.device.target, non_blocking=True)

    def batch_loss(self, batch: Any, update: int) -> tuple[torch.Tensor, int]:
        """The labelled images' loss, and the squared error of the others', which rises to its
        weight."""
        (pictures, wanted, *_), views = batch
        settings, device, labelled = self.config.run, self.device, len(pictures)
        assert isinstance(settings, MixMatch)
        inputs = to_input(torch.cat([pictures, views]), self.model, device)
        with torch.no_grad(), self.autocast():
            said = torch.softmax(self.model(inputs[labelled:]).float(), dim=1)
        guessed = sharpened(
            said.reshape(-1, VIEWS, said.shape[1]).mean(dim=1), settings.temperature
        )
        targets = torch.cat([wanted, guessed.repeat_interleave(VIEWS, dim=0)])
        share = np.random.beta(settings.mixmatch_alpha, settings.mixmatch_alpha)
        share = float(max(share, 1 - share))  # more of the image itself than of its partner
        partner = torch.randperm(len(inputs)).to(device.target)
        inputs = share * inputs + (1 - share) * inputs[partner]
        targets = share * targets + (1 - share) * targets[partner]
        with self.autocast():
            outputs = self.model(inputs)
        loss = self.loss(outputs[:labelled].float(), targets[:labelled])
        certain = torch.softmax(outputs[labelled:].float(), dim=1)
        squared = ((certain - targets[labelled:]) ** 2).mean()
        ramp = settings.ramp_share * self.steps * settings.epochs
        weight = settings.unlabelled_weight * min(1.0, update / max(ramp, 1.0))
        return loss + weight * squared, len(inputs)


def sharpened(probabilities: torch.Tensor, temperature: float) -> torch.Tensor:
    """Probabilities (n, classes), the more certain the lower the temperature."""
    powers = probabilities ** (1 / temperature)
    return powers / powers.sum(dim=1, keepdim=True)


def _in_views(rows: Ints, shown: int) -> Draw:
    """Draws ``shown`` rows, all of them before any comes again, each `VIEWS` times in a row."""
    rounds = -(-shown // len(rows))

    def draw(generator: np.random.Generator) -> Ints:
        order = np.concatenate([generator.permutation(rows) for _ in range(rounds)])
        return np.repeat(order[:shown], VIEWS)

    return draw


mixmatch = functools.partial(fit, state=MixMatchState)
"""Trains as `fit` does: the same reports, checkpoints and predictions."""
