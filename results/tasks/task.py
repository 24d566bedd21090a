"""What every task says of its targets and predictions, outside training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from results.metrics import Ints, Metric
from spaces.errors import unknown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from results.leaderboard.submission_file import SubmissionForm
    from results.predictions import Predictions


class Task(ABC):
    """A task outside training; trainables/tasks has the other half.

    Attributes:
        name: Name of the task.
        head: Name of the array of predictions in records.
        metrics: What can be a contest's metric, and is computed in any case, by name.
    """

    name: ClassVar[str]
    head: ClassVar[str]
    metrics: ClassVar[Mapping[str, Metric]]

    def metric(self, name: str) -> Metric:
        """Looks a metric up.

        Raises:
            InputError: If there is none of that name; the message lists them.
        """
        if name not in self.metrics:
            raise unknown("metric", name, [*self.metrics, "module:function"], f"metric={name}")
        return self.metrics[name]

    @abstractmethod
    def read_targets(
        self, values: Sequence[str], wanted: Sequence[str], path: Path, *, complete: bool = True
    ) -> tuple[NDArray[Any], tuple[str, ...]]:
        """Reads targets from a table's column.

        Args:
            values: The column's texts.
            wanted: Class names in the order wanted; empty for those that are there, sorted.
            path: The table, for messages.
            complete: Whether every class that is wanted has to be there.

        Returns:
            Targets (n, …) and class names.

        Raises:
            InputError: For anything that is no target, with file and row.
        """

    @abstractmethod
    def strata(self, targets: NDArray[Any]) -> Ints:
        """What folds and samplings balance, int64 (n,)."""

    @abstractmethod
    def average(self, predictions: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Predictions of the same images by several models as one."""

    @abstractmethod
    def form(
        self, sample: Path, images: tuple[str, ...], classes: tuple[str, ...]
    ) -> SubmissionForm:
        """What the contest's sample submission asks for.

        Raises:
            InputError: If the sample fits neither images nor classes.
        """

    @abstractmethod
    def default_form(self, images: tuple[str, ...], classes: tuple[str, ...]) -> SubmissionForm:
        """What is handed in where there is no sample."""

    @abstractmethod
    def read_submission(self, path: Path, classes: tuple[str, ...]) -> Predictions:
        """Reads a submission back.

        Raises:
            InputError: If the file is missing or holds something else.
        """

    @abstractmethod
    def read_solution(
        self, path: Path, images: tuple[str, ...], classes: tuple[str, ...]
    ) -> tuple[tuple[str, ...], NDArray[Any]]:
        """Reads true targets of test images, of all of them or of a public part.

        Returns:
            Image names and their targets (n, …).

        Raises:
            InputError: If the file is missing or holds something else.
        """

    def watched(self, targets: NDArray[Any], classes: Sequence[str]) -> Mapping[str, Metric]:
        """What a confirmation tells beside the contest's metric, by what it is called.

        Args:
            targets: Of all training images.
            classes: Class names.
        """
        return {}

    @abstractmethod
    def diagnostics(
        self, targets: NDArray[Any], predictions: NDArray[np.float32], classes: Sequence[str]
    ) -> dict[str, Figure]:
        """Pictures of where a model errs, by file name."""
