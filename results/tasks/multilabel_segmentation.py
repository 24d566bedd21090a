"""Several classes per pixel; predictions are probabilities per class and pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from results.masks import class_pixels, pixels
from results.masks.truth import Truth
from results.metrics import Ints, Metric
from results.predictions import Predictions
from results.tasks.segmentation import Segmentation
from results.tasks.task import Examples


class MultilabelSegmentation(Segmentation):
    """As where classes exclude each other, but every class for itself, from one half on.

    Examples are classes at pixels (`results.masks.class_pixels`).
    """

    name = "multilabel_segmentation"
    overlapping = True

    def probabilities(self, predictions: Predictions) -> NDArray[np.float32]:
        """Those of every class at some pixels of every image."""
        return class_pixels.probabilities(predictions.masks, len(predictions.classes))

    def examples(self, labels: Ints, predictions: Predictions, truth: Truth | None) -> Examples:
        """Every class at some pixels of every image, without those of which nothing is known."""
        assert truth is not None
        true, known = class_pixels.labels_of(truth.of(predictions.images))
        images = len(predictions.images)
        rows = np.repeat(np.arange(images), len(true) // max(1, images))
        return Examples(true[known], self.probabilities(predictions)[known], rows[known])

    def example_metric(self, metric: Metric, truth: Truth | None) -> Metric:
        """The same of examples together."""
        assert truth is not None
        columns = 2 * len(truth.classes)
        return pixels.pixel_metric(metric, columns, range(0, columns, 2))
