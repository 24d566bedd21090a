"""One class per image; predictions are probabilities of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from results.masks.merging import Merge
from results.metrics import METRICS, Floats, Ints, Metric
from results.predictions import Predictions
from results.rare_classes import rare_classes, recall_of
from results.tasks.task import Examples, Known, Solved, Task
from results.trust.families import missed
from spaces.errors import InputError, unknown

if TYPE_CHECKING:
    import pandas as pd

    from results.leaderboard.form import Form
    from results.masks.truth import Truth


SHOWN = 3
"""Rare classes that are named."""


def read_labels(
    values: Sequence[str], wanted: Sequence[str], path: Path, *, complete: bool = True
) -> tuple[Ints, tuple[str, ...]]:
    """Reads the labels of a table's column.

    Args:
        values: The column's texts.
        wanted: Class names in the order wanted; empty for those that are there, sorted.
        path: The table, for messages.
        complete: Whether every class that is wanted has to be there.

    Returns:
        Class indices int64 (n,), and class names.

    Raises:
        InputError: For what is no label, with file and row; or for fewer than two classes.
    """
    names = tuple(wanted) or tuple(sorted(set(values)))
    index = {name: i for i, name in enumerate(names)}
    for row, value in enumerate(values, start=2):
        if value not in index:
            raise unknown("label", value, names, f"{path}, row {row}; data.classes")
    there = set(values)
    for name in names if complete else ():
        if name not in there:
            raise InputError(f"class {name!r} of data.classes has no image in {path}")
    if len(names) < 2:
        raise InputError(f"{path} has one class only ({names[0]!r}); at least two are needed")
    return np.array([index[v] for v in values], dtype=np.int64), names


POSITIVE = ("1", "true", "yes", "positive")
"""What the class is called, in small letters, that a single probability is of."""


def is_probability(values: pd.Series, classes: Sequence[str], positive: str = "") -> bool:
    """Whether a column's texts say how likely one of two classes is, instead of naming it.

    Nothing but ``0`` and ``1`` may stand for the classes' numbers, unless ``positive`` is told.
    """
    import pandas as pd

    said = set(values)
    if len(classes) != 2 or (not positive and (said <= {"0", "1"} or said <= set(classes))):
        return False
    return bool(pd.to_numeric(values, errors="coerce").between(0, 1).all())


def probability_of(column: str, classes: Sequence[str], path: Path) -> str:
    """The class that a column of probabilities is of: called like it, or the one that says yes.

    Args:
        column: Its name.
        classes: The two classes.
        path: The table, for messages.

    Raises:
        InputError: If there is none.
    """
    by_word = {name.casefold(): name for name in classes}
    for word in (column.casefold(), *POSITIVE):
        if word in by_word:
            return by_word[word]
    raise InputError(
        f"{path}: column {column!r} holds probabilities, of which class? "
        f"{' or '.join(f'positive={name}' for name in classes)}"
    )


class Classification(Task):
    """Targets are class indices int64 (n,), predictions float32 (n, classes)."""

    name = "classification"
    metrics = METRICS
    metric_name = "macro_f1"

    def average(self, predictions: Sequence[Predictions]) -> Predictions:
        """The mean of the probabilities."""
        first = predictions[0]
        mean = np.mean([p.probabilities for p in predictions], axis=0)
        return Predictions.of_classes(
            images=first.images, classes=first.classes, probabilities=np.asarray(mean, np.float32)
        )

    def form(self, sample: Path | None, images: tuple[str, ...], known: Known) -> Form:
        """One column of labels, of one class's probability, or one per class; labels without a
        sample."""
        from results.leaderboard.submission_file import SubmissionForm

        if sample is None:
            return SubmissionForm(
                ids=known.names.ids or images,
                columns=("image", "label"),
                classes=known.classes,
                positive=known.positive,
                names=known.names,
            )
        return SubmissionForm.read(sample, images, known.classes, known.names, known.positive)

    def read_submission(self, path: Path, known: Known) -> Predictions:
        """Probabilities; a label counts as certain."""
        from results.leaderboard.submission_file import read_submission

        return read_submission(path, known.classes, known.names, known.positive)

    def solved(self, path: Path, submitted: Predictions, known: Known) -> Solved:
        """Class indices of the images that the solution names, beside their probabilities."""
        from results.leaderboard.submission_file import read_solution

        images, labels = read_solution(path, submitted.images, submitted.classes, known.names)
        return Solved(images, labels, submitted.of(images).probabilities)

    def probabilities(self, predictions: Predictions) -> NDArray[np.float32]:
        """Those of the images."""
        return predictions.probabilities

    def examples(self, labels: Ints, predictions: Predictions, truth: Truth | None) -> Examples:
        """The images themselves."""
        return Examples(labels, predictions.probabilities, np.arange(len(labels)))

    def example_metric(self, metric: Metric, truth: Truth | None) -> Metric:
        """The metric itself."""
        return metric

    def merged(self, merge: Merge, predictions: Sequence[Predictions]) -> Predictions:
        """Merged probabilities."""
        first = predictions[0]
        found = merge(np.stack([p.probabilities for p in predictions]))
        return Predictions.of_classes(
            images=first.images, classes=first.classes, probabilities=found
        )

    def errors(self, labels: Ints, judged: NDArray[np.floating]) -> Floats:
        """1 where another class is likelier."""
        return missed(labels, judged)

    def watched(self, targets: Ints, classes: Sequence[str]) -> Mapping[str, Metric]:
        """Where classes are rare, macro F1 and their recall."""
        rare = rare_classes(targets, len(classes))
        if not len(rare):
            return {}
        named = ", ".join(classes[c] for c in rare[:SHOWN]) + ("…" if len(rare) > SHOWN else "")
        words = f"recall of the {len(rare)} rare classes ({named})"
        if len(rare) == 1:
            words = f"recall of the rare class {named}"
        return {"macro F1": METRICS["macro_f1"], words: recall_of(rare)}

    def class_table(
        self, labels: Ints, predictions: Predictions, truth: Truth | None
    ) -> pd.DataFrame:
        """Precision, recall, F1, and what a class is taken for."""
        import pandas as pd

        from results.tasks.class_scores import class_scores

        return pd.DataFrame([asdict(score) for score in class_scores(labels, predictions)])

    def worst(self, labels: Ints, predictions: Predictions) -> Ints:
        """By the probability of the true class."""
        chance = predictions.probabilities[np.arange(len(labels)), labels]
        return np.argsort(chance, kind="stable")

    def panel(
        self, picture: NDArray[np.uint8], label: int, predicted: Predictions, truth: Truth | None
    ) -> tuple[NDArray[np.uint8], str]:
        """The picture, its class, and the one that it is taken for."""
        classes, told = predicted.classes, int(predicted.probabilities[0].argmax())
        return picture, f"{classes[label]}\nas {classes[told]}"

    def diagnostics(
        self, labels: Ints, predictions: Predictions, truth: Truth | None
    ) -> dict[str, bytes]:
        """The confusion matrix."""
        from results.reporting.confusion import confusion

        shown = confusion(labels, predictions.probabilities, predictions.classes)
        return {"confusion_matrix.svg": shown.encode()}
