"""Models made elsewhere as the forecast sees them: by the predictions that they came with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from results.forecast.methods import CONFIDENCE, Model
from results.predictions import Predictions
from results.records.labelled_images import LabelledImages


def all_scores(name: str) -> str:
    """What a model lacks that has none of the scores on unlabelled test images."""
    return f"scores of {name} on unlabelled test images"


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """A model made elsewhere whose predictions of the hold-out are here.

    Attributes:
        id: Its name.
        holdout: File of these predictions.
        test: File of its predictions of the test images; None where they were not kept.
    """

    id: str
    holdout: Path
    test: Path | None


def foreign_models(
    made: Iterable[Foreign],
    beside: Sequence[Model],
    labelled: LabelledImages,
    images: tuple[str, ...],
) -> tuple[list[Model], dict[str, str]]:
    """Those that can be compared with trained models, each as a configuration of its own.

    Args:
        made: The models.
        beside: Trained models with predictions of the same test images.
        labelled: The hold-out, which is fold 0.
        images: Test images, in the order of all predictions.

    Returns:
        The models, and why some of what could be said of them is lacking, by what it is.
    """
    found: list[Model] = []
    lacking: dict[str, str] = {}
    for each in made:
        test = Predictions.read(each.test) if each.test is not None else None
        if test is None:
            lacking[all_scores(each.id)] = "its predictions of the test images were not kept"
            continue
        if test.images != images:
            lacking[all_scores(each.id)] = "it predicted other test images"
            continue
        held = Predictions.read(each.holdout)
        model = Model(
            id=each.id,
            fold=0,
            kin=f"made elsewhere: {each.id}",
            labels=labelled.labels,
            holdout=held.normalised().probabilities,
            test=test.normalised().probabilities,
            units=labelled.groups,
            certain=held.certain or test.certain,
        )
        same = next((m.id for m in (*beside, *found) if _same(m, model)), None)
        if same is not None:
            lacking[all_scores(each.id)] = (
                f"it tells every image as {same} does, and would agree with itself"
            )
            continue
        found.append(model)
        if model.certain:
            lacking[f"{CONFIDENCE} of {each.id}"] = "it gave labels, not probabilities"
    return found, lacking


def _same(one: Model, other: Model) -> bool:
    """Whether two models of a fold give every image the same class, so that they are one."""
    return one.fold == other.fold and all(
        np.array_equal(a.argmax(axis=1), b.argmax(axis=1))
        for a, b in ((one.holdout, other.holdout), (one.test, other.test))
    )
