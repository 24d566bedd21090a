"""What a training says of images that it does not learn from: predicted, scored and kept."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from results.predictions import Predictions, predictions_file
from spaces.augmentation.stress import Stress
from trainables.data.scored_images import held_out_rows
from trainables.training.context import TrainingContext
from trainables.training.evaluation import judged, predicted
from trainables.training.full_disk import with_room
from trainables.training.scores import scores_of
from trainables.training.state import Beat, TrainingState
from trainables.training.training_score import training_score


@dataclass(frozen=True, kw_only=True, eq=False)
class EpochEvaluation:
    """Evaluates a training after each of its epochs.

    Attributes:
        training: What is trained.
        context: Data and metric.
        folder: Gets predictions.
        workers: Loader processes.
        beat: Called at every batch.
    """

    training: TrainingState
    context: TrainingContext
    folder: Path
    workers: int
    beat: Beat

    def scored(self, *, last: bool) -> tuple[Predictions, dict[str, float]]:
        """Predicts and scores held-out images, and keeps what was said of them under the stress.

        Args:
            last: Whether this was the last epoch, after which everything is scored.

        Returns:
            Predictions of held-out images, and metrics by slash-grouped name.

        Raises:
            TrainingError: If the predictions or the contest's metric are not finite.
        """
        context, folds, config = self.context, self.context.folds, self.training.config
        rows = held_out_rows(config, folds, last)
        predictions = self._judged(rows, last)
        scores = scores_of(predictions, rows, context)
        metrics = {f"val/{name}": value for name, value in scores.items()}
        if len(rows) < len(folds.held_out(config.run.fold)):
            metrics["val/images"] = float(len(rows))
        if context.stress is not None and (context.stress_always or last):
            stressed = self._judged(rows, last, context.stress)
            under = scores_of(stressed, rows, context)
            metrics |= {f"stress/{name}": value for name, value in under.items()}
            self.keep(stressed, "stress")
        if last:
            metrics |= training_score(self.training, context, scores, self.workers, self.beat)
        return predictions, metrics

    def predict_test(self) -> None:
        """Predicts the test images and keeps what was said of them, where that is wanted."""
        rows = self.context.test_rows
        if self.context.predict_test and len(rows):
            self.keep(predicted(self.training, rows, self.context, self.workers, self.beat), "test")

    def keep(self, predictions: Predictions, part: str) -> None:
        """Writes predictions of one part of the images, once there is room for them."""
        path = self.folder / predictions_file(part)
        with_room(functools.partial(predictions.write, path), self.beat)

    def _judged(
        self, rows: NDArray[np.int64], last: bool, stress: Stress | None = None
    ) -> Predictions:
        said = predicted(self.training, rows, self.context, self.workers, self.beat, stress)
        return judged(said, self.context, edges=last)
