"""What every task says of its targets and predictions, outside training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from results.leaderboard.site_names import AS_NAMED, SiteNames
from results.masks.merging import Merge
from results.metrics import Floats, Ints, Metric
from spaces.errors import unknown

if TYPE_CHECKING:
    import pandas as pd

    from results.leaderboard.form import Form
    from results.masks.truth import Truth
    from results.predictions import Predictions


class Solved(NamedTuple):
    """Test images whose truth is known, and what a metric is computed of.

    Attributes:
        images: Their names.
        labels: int64 (n,).
        judged: float32 (n, …), as `Predictions.judged`.
    """

    images: tuple[str, ...]
    labels: Ints
    judged: NDArray[np.float32]


class Examples(NamedTuple):
    """What is told apart: images, or a sample of their pixels.

    Attributes:
        labels: Classes, int64 (m,).
        probabilities: float32 (m, classes).
        rows: int64 (m,), the image that each belongs to.
    """

    labels: Ints
    probabilities: NDArray[np.float32]
    rows: Ints


class Known(NamedTuple):
    """What is known of a contest's images.

    Attributes:
        classes: Class names.
        truth: True masks of training images; None without masks.
        sizes: Height and width in pixels of test images, by name; empty without masks.
        names: What the site calls the test images.
        positive: The class that a single column of probabilities is of, where somebody said it.
    """

    classes: tuple[str, ...]
    truth: Truth | None = None
    sizes: Mapping[str, tuple[int, int]] = MappingProxyType({})
    names: SiteNames = AS_NAMED
    positive: str = ""


class Task(ABC):
    """A task outside training; trainables/tasks has the other half.

    Attributes:
        name: Name of the task.
        metrics: What can be a contest's metric, and is computed in any case, by name.
        metric_name: The one where none is asked for.
        defaults: Settings of an untuned configuration, by flat name, where others than usual.
    """

    name: ClassVar[str]
    metrics: ClassVar[Mapping[str, Metric]]
    metric_name: ClassVar[str]
    defaults: ClassVar[Mapping[str, Any]] = MappingProxyType({})

    def metric(self, name: str, option: str = "metric") -> Metric:
        """Looks a metric up.

        Args:
            name: The metric's.
            option: Which option named it, for messages.

        Raises:
            InputError: If there is none of that name; the message lists them.
        """
        if name not in self.metrics:
            raise unknown("metric", name, [*self.metrics, "module:function"], f"{option}={name}")
        return self.metrics[name]

    @abstractmethod
    def average(self, predictions: Sequence[Predictions]) -> Predictions:
        """Predictions of the same images by several models as one, not yet judged."""

    def judged(
        self, predictions: Predictions, truth: Truth | None, *, edges: bool = True
    ) -> Predictions:
        """Predictions with what a metric is computed of.

        Args:
            predictions: Of images whose truth is known.
            truth: True masks of these images and maybe of others; None without masks.
            edges: Whether boundaries of masks are compared, which takes long.
        """
        return predictions

    @abstractmethod
    def form(self, sample: Path | None, images: tuple[str, ...], known: Known) -> Form:
        """What the contest wants to be handed.

        Args:
            sample: Its sample submission; None where there is none.
            images: Test images.
            known: What is known of the contest.

        Raises:
            InputError: If the sample fits neither images nor classes.
        """

    @abstractmethod
    def read_submission(self, path: Path, known: Known) -> Predictions:
        """Reads a submission back.

        Args:
            path: The submission.
            known: What is known of the contest.

        Raises:
            InputError: If the file is missing or holds something else.
        """

    @abstractmethod
    def solved(self, path: Path, submitted: Predictions, known: Known) -> Solved:
        """Reads what is true of test images, of all of them or of a public part.

        Args:
            path: The solution.
            submitted: What was handed in.
            known: What is known of the contest.

        Raises:
            InputError: If the file is missing or holds something else.
        """

    @abstractmethod
    def probabilities(self, predictions: Predictions) -> NDArray[np.float32]:
        """Probabilities of classes (m, classes), of images or of a sample of their pixels."""

    @abstractmethod
    def examples(self, labels: Ints, predictions: Predictions, truth: Truth | None) -> Examples:
        """Classes and their probabilities, of images or of a sample of their pixels.

        Args:
            labels: int64 (n,), of the images.
            predictions: Of the same images.
            truth: True masks of these images and maybe of others; None without masks.
        """

    @abstractmethod
    def example_metric(self, metric: Metric, truth: Truth | None) -> Metric:
        """What stands for a metric of predictions where there are `examples`."""

    @abstractmethod
    def merged(self, merge: Merge, predictions: Sequence[Predictions]) -> Predictions:
        """Predictions of the same images by several models as one, not yet judged.

        Args:
            merge: From probabilities (models, m, classes) to merged ones (m, classes).
            predictions: By model.
        """

    @abstractmethod
    def errors(self, labels: Ints, judged: NDArray[np.floating]) -> Floats:
        """How far predictions are off, float64 (n,), from 0 to 1.

        Args:
            labels: int64 (n,).
            judged: float (n, …), as `Predictions.judged`.
        """

    def watched(self, targets: Ints, classes: Sequence[str]) -> Mapping[str, Metric]:
        """What a confirmation tells beside the contest's metric, by what it is called.

        Args:
            targets: Of all training images.
            classes: Class names.
        """
        return {}

    @abstractmethod
    def class_table(
        self, labels: Ints, predictions: Predictions, truth: Truth | None
    ) -> pd.DataFrame:
        """How well each class is told, a row per class, the worst first.

        Args:
            labels: int64 (n,).
            predictions: Of the same images, judged.
            truth: True masks; None without masks.
        """

    @abstractmethod
    def worst(self, labels: Ints, predictions: Predictions) -> Ints:
        """Rows of the images, those that predictions are furthest off first, int64 (n,)."""

    @abstractmethod
    def panel(
        self, picture: NDArray[np.uint8], label: int, predicted: Predictions, truth: Truth | None
    ) -> tuple[NDArray[np.uint8], str]:
        """What shows where a model errs in an image: a picture, and words in two lines.

        Args:
            picture: uint8 (height, width, 3).
            label: Of the image.
            predicted: Of this image alone, judged.
            truth: True masks of it and maybe of others; None without masks.
        """

    @abstractmethod
    def diagnostics(
        self, labels: Ints, predictions: Predictions, truth: Truth | None
    ) -> dict[str, bytes]:
        """Pictures of where a model errs, files' contents by name.

        Args:
            labels: int64 (n,).
            predictions: Of the same images, judged.
            truth: True masks; None without masks.
        """
