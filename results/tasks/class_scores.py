"""How well each class of images is told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from results.metrics import Ints
from results.predictions import Predictions


@dataclass(frozen=True, kw_only=True)
class ClassScore:
    """How well one class is told.

    Attributes:
        name: The class.
        images: Its images.
        precision: Share of its predictions that are right.
        recall: Share of its images that are found.
        f1: Harmonic mean of the two.
        confused_with: The class that most of its missed images are taken for; empty if none is.
    """

    name: str
    images: int
    precision: float
    recall: float
    f1: float
    confused_with: str


def class_scores(labels: Ints, predictions: Predictions) -> list[ClassScore]:
    """One entry per class, the worst by F1 first.

    Args:
        labels: int (n,), class indices.
        predictions: Of the same images.
    """
    classes = predictions.classes
    predicted = predictions.probabilities.argmax(axis=1)
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predicted, labels=range(len(classes)), zero_division=0
    )
    found = []
    for c, name in enumerate(classes):
        missed = predicted[(labels == c) & (predicted != c)]
        other = classes[int(np.bincount(missed).argmax())] if len(missed) else ""
        found.append(
            ClassScore(
                name=name,
                images=int(support[c]),
                precision=float(precision[c]),
                recall=float(recall[c]),
                f1=float(f1[c]),
                confused_with=other,
            )
        )
    return sorted(found, key=lambda s: (s.f1, s.name))
