"""One class per image; predictions are probabilities of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from results.metrics import METRICS, Ints, Metric
from results.predictions import PROBABILITIES
from results.rare_classes import rare_classes, recall_of
from results.tasks.task import Task
from spaces.errors import InputError, unknown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from results.leaderboard.submission_file import SubmissionForm
    from results.predictions import Predictions


SHOWN = 3
"""Rare classes that are named."""


class Classification(Task):
    """Targets are class indices int64 (n,), predictions float32 (n, classes)."""

    name = "classification"
    head = PROBABILITIES
    metrics = METRICS

    def read_targets(
        self, values: Sequence[str], wanted: Sequence[str], path: Path, *, complete: bool = True
    ) -> tuple[NDArray[Any], tuple[str, ...]]:
        """Class indices; at least two classes, and an image of each if these are all there are."""
        names = tuple(wanted) or tuple(sorted(set(values)))
        index = {name: i for i, name in enumerate(names)}
        for row, value in enumerate(values, start=2):
            if value not in index:
                raise unknown("label", value, names, f"{path}, row {row}; data.classes")
        for name in names if complete else ():
            if name not in set(values):
                raise InputError(f"class {name!r} of data.classes has no image in {path}")
        if len(names) < 2:
            raise InputError(f"{path} has one class only ({names[0]!r}); at least two are needed")
        return np.array([index[v] for v in values], dtype=np.int64), names

    def strata(self, targets: NDArray[Any]) -> Ints:
        """The classes themselves."""
        return np.asarray(targets, np.int64)

    def average(self, predictions: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """The mean of the probabilities."""
        return np.asarray(np.mean(predictions, axis=0), np.float32)

    def form(
        self, sample: Path, images: tuple[str, ...], classes: tuple[str, ...]
    ) -> SubmissionForm:
        """One column of labels, or one of probabilities per class."""
        from results.leaderboard.submission_file import SubmissionForm

        return SubmissionForm.read(sample, images, classes)

    def default_form(self, images: tuple[str, ...], classes: tuple[str, ...]) -> SubmissionForm:
        """Labels."""
        from results.leaderboard.submission_file import SubmissionForm

        return SubmissionForm(ids=images, columns=("image", "label"), classes=classes)

    def read_submission(self, path: Path, classes: tuple[str, ...]) -> Predictions:
        """Probabilities; a label counts as certain."""
        from results.leaderboard.submission_file import read_submission

        return read_submission(path, classes)

    def read_solution(
        self, path: Path, images: tuple[str, ...], classes: tuple[str, ...]
    ) -> tuple[tuple[str, ...], NDArray[Any]]:
        """Class indices of the images that it names."""
        from results.leaderboard.submission_file import read_solution

        return read_solution(path, images, classes)

    def watched(self, targets: NDArray[Any], classes: Sequence[str]) -> Mapping[str, Metric]:
        """Where classes are rare, macro F1 and their recall."""
        rare = rare_classes(targets, len(classes))
        if not len(rare):
            return {}
        named = ", ".join(classes[c] for c in rare[:SHOWN]) + ("…" if len(rare) > SHOWN else "")
        words = f"recall of the {len(rare)} rare classes ({named})"
        if len(rare) == 1:
            words = f"recall of the rare class {named}"
        return {"macro F1": METRICS["macro_f1"], words: recall_of(rare)}

    def diagnostics(
        self, targets: NDArray[Any], predictions: NDArray[np.float32], classes: Sequence[str]
    ) -> dict[str, Figure]:
        """The confusion matrix."""
        from results.reporting.figures import confusion

        return {"confusion_matrix.png": confusion(targets, predictions, classes)}
