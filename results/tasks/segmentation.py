"""One class per pixel; predictions are probabilities of classes per pixel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from results.masks import pixels
from results.masks.label_map import at_size, class_planes, label_map, nearest
from results.masks.merging import Merge, merged_pixels
from results.masks.metrics import MASK_METRICS, class_table
from results.masks.overlay import overlay
from results.masks.planes import Pixels, Planes
from results.metrics import Floats, Ints, Metric
from results.predictions import COUNTS, MASKS, OCCURS, SIZES, Head, Predictions
from results.tasks.task import Examples, Known, Solved, Task

if TYPE_CHECKING:
    import pandas as pd

    from results.leaderboard.form import Form
    from results.masks.truth import Truth


class Segmentation(Task):
    """Targets are masks; predictions are `Planes` of uint8 (h, w, classes), in 255ths.

    What metrics are computed of are counts per image (`results.masks.counts`).

    Attributes:
        overlapping: Whether a pixel can be of several classes.
    """

    overlapping: ClassVar[bool] = False

    name = "segmentation"
    metrics = MASK_METRICS
    metric_name = "mean_iou"
    defaults = MappingProxyType({"model": "smp"})

    def average(self, predictions: Sequence[Predictions]) -> Predictions:
        """The mean of the probabilities, each model's resized to the first one's where it must."""

        def merged() -> Iterator[Pixels]:
            for masks in zip(*(p.masks for p in predictions), strict=True):
                height, width = masks[0].shape[:2]
                total = sum(at_size(mask, height, width).astype(np.uint32) for mask in masks)
                yield np.asarray((total + len(masks) // 2) // len(masks), np.uint8)

        alone = len(predictions) == 1
        return self._with(predictions, predictions[0].masks if alone else Planes.of(merged()))

    def _with(self, models: Sequence[Predictions], masks: Planes) -> Predictions:
        """Merged masks of some models, not yet judged.

        Which classes occur is the mean of what all models say, and not known unless all do.
        """
        first = models[0]
        heads: dict[str, Head] = {**first.heads, MASKS: masks}
        heads.pop(COUNTS, None)
        said = [head for p in models if isinstance(head := p.heads.get(OCCURS), np.ndarray)]
        if len(said) == len(models):
            heads[OCCURS] = np.mean(said, axis=0, dtype=np.float32)
        else:
            heads.pop(OCCURS, None)
        return Predictions(images=first.images, classes=first.classes, heads=heads)

    def judged(
        self, predictions: Predictions, truth: Truth | None, *, edges: bool = True
    ) -> Predictions:
        """With counts beside the truth."""
        assert truth is not None
        counts = truth.of(predictions.images).counts(predictions.masks, edges=edges)
        return Predictions(
            images=predictions.images,
            classes=predictions.classes,
            heads={**predictions.heads, COUNTS: counts},
        )

    def form(self, sample: Path | None, images: tuple[str, ...], known: Known) -> Form:
        """Run lengths, a mask per image or per image and class; or COCO's results."""
        from results.leaderboard.coco_form import SUFFIX, CocoForm
        from results.leaderboard.run_length_form import RunLengthForm

        assert known.truth is not None
        if sample is None:
            return RunLengthForm.of(images, known.truth)
        kind = CocoForm if sample.suffix.lower() == SUFFIX else RunLengthForm
        return kind.read(sample, images, known.truth)

    def read_submission(self, path: Path, known: Known) -> Predictions:
        """Masks at the images' own sizes, as certain probabilities."""
        from results.leaderboard.coco_form import LISTING, SUFFIX, CocoForm
        from results.leaderboard.run_length_form import RunLengthForm

        assert known.truth is not None
        images = tuple(known.sizes)
        form: CocoForm | RunLengthForm
        if path.suffix == SUFFIX:
            form = CocoForm.read(path.with_name(LISTING), images, known.truth)
        else:
            form = RunLengthForm.read(path, images, known.truth)
        sizes = [known.sizes[image] for image in images]
        masks = form.masks(path, images, sizes)
        heads: dict[str, Head] = {MASKS: masks, SIZES: np.array(sizes, np.float32)}
        return Predictions(images=images, classes=known.classes, heads=heads)

    def solved(self, path: Path, submitted: Predictions, known: Known) -> Solved:
        """Masks of the images that the solution names, in the form of the training masks."""
        from results.leaderboard.mask_solution import read_solution

        assert known.truth is not None
        truth = read_solution(path, submitted.images, known.truth, known.sizes)
        counts = truth.counts(submitted.of(truth.images).masks)
        return Solved(truth.images, np.zeros(len(truth.images), np.int64), counts)

    def probabilities(self, predictions: Predictions) -> NDArray[np.float32]:
        """Those of some pixels of every image."""
        return pixels.probabilities(predictions.masks)

    def examples(self, labels: Ints, predictions: Predictions, truth: Truth | None) -> Examples:
        """Some pixels of every image, without those of which nothing is known."""
        assert truth is not None
        classes, known = pixels.classes_of(truth.of(predictions.images))
        rows = np.repeat(np.arange(len(predictions.images)), pixels.GRID**2)
        return Examples(classes[known], self.probabilities(predictions)[known], rows[known])

    def example_metric(self, metric: Metric, truth: Truth | None) -> Metric:
        """The same of pixels together."""
        assert truth is not None
        return pixels.pixel_metric(metric, len(truth.classes), truth.form.judged)

    def merged(self, merge: Merge, predictions: Sequence[Predictions]) -> Predictions:
        """Every image's pixels merged."""

        def masks() -> Iterator[Pixels]:
            for seen in zip(*(p.masks for p in predictions), strict=True):
                height, width = seen[0].shape[:2]
                block = np.stack([at_size(mask, height, width) for mask in seen])
                yield merged_pixels(block, merge, self.overlapping)

        return self._with(predictions, Planes.of(masks()))

    def errors(self, labels: Ints, judged: NDArray[np.floating]) -> Floats:
        """Share of the pixels that are told as another class."""
        right, all_pixels = judged[:, 0].astype(np.float64), judged[:, 1].astype(np.float64)
        return 1 - right / np.maximum(all_pixels, 1)

    def class_table(
        self, labels: Ints, predictions: Predictions, truth: Truth | None
    ) -> pd.DataFrame:
        """Intersection over union, Dice, F1 of boundaries, precision, recall and pixels."""
        import pandas as pd

        assert truth is not None
        table = pd.DataFrame(asdict(class_table(predictions.judged.sum(axis=0, dtype=np.float64))))
        table.insert(0, "name", truth.scored)
        return table.sort_values(["iou", "name"]).reset_index(drop=True)

    def worst(self, labels: Ints, predictions: Predictions) -> Ints:
        """By the share of wrong pixels."""
        return np.argsort(-self.errors(labels, predictions.judged), kind="stable")

    def panel(
        self, picture: NDArray[np.uint8], label: int, predicted: Predictions, truth: Truth | None
    ) -> tuple[NDArray[np.uint8], str]:
        """The picture, with its true and its predicted mask beside it."""
        assert truth is not None
        height, width = picture.shape[:2]
        true = truth.actual(truth.rows[predicted.images[0]])
        told = class_planes if truth.overlapping else label_map
        masks = (true, told(predicted.masks[0], *true.shape[:2]))
        shown = [picture, *(overlay(picture, nearest(mask, height, width)) for mask in masks)]
        wrong = float(self.errors(np.zeros(1, np.int64), predicted.judged)[0])
        return np.concatenate(shown, axis=1), f"{predicted.images[0]}\n{wrong:.0%} wrong"

    def diagnostics(
        self, labels: Ints, predictions: Predictions, truth: Truth | None
    ) -> dict[str, bytes]:
        """Scores by class."""
        from results.reporting.figures import png
        from results.reporting.mask_figures import class_bars

        bars = class_bars(self.class_table(labels, predictions, truth))
        return {"classes.png": png(bars)}
