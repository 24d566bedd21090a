"""Promotions as the forecast sees them: trainings that each have unseen images, merged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from results.ensemble.out_of_fold import OutOfFold
from results.forecast.ensembles import Part, estimated_ensemble
from results.forecast.estimated import Estimated
from results.forecast.forecast import expected_score
from results.forecast.methods import Model
from results.forecast.trained_models import trained_model
from results.metrics import Metric
from results.predictions import Predictions
from results.records.closing import ExpectedScore, ForecastRecord
from results.records.labelled_images import LabelledImages
from results.records.trials import Search
from spaces.errors import InputError


def estimated_promotion(
    search: Search,
    metric: Metric,
    oofs: Sequence[OutOfFold],
    test: Predictions,
    arms: Sequence[str],
) -> Estimated:
    """How accurate all promoted trials are together.

    Args:
        search: The promotion.
        metric: The contest's.
        oofs: Out-of-fold predictions of each trial.
        test: Merged predictions of the test images.
        arms: Names of the trials.

    Raises:
        InputError: If a training predicted other test images.
    """
    merged = search.task.average([oof.predictions for oof in oofs])
    parts = (
        Part(weight=1 / len(arms), trainings=trainings_of(search, arm, test.images)) for arm in arms
    )
    oof = replace(oofs[0], predictions=merged)
    return estimated_merged(search.id, search, metric, oof, test, parts)


def estimated_merged(
    name: str,
    search: Search,
    metric: Metric,
    oof: OutOfFold,
    test: Predictions,
    parts: Iterable[Part],
    probable: bool = True,
) -> Estimated:
    """How accurate merged predictions are.

    Args:
        name: Of the promotion or blend.
        search: A job on the same images.
        metric: The contest's.
        oof: Merged predictions of training images by models that did not see them.
        test: Merged predictions of the test images.
        parts: Who made them.
        probable: Whether they are probabilities, and not ranks or votes.

    Raises:
        InputError: If a training predicted other test images.
    """
    task, truth = search.task, search.truth
    known = task.examples(oof.labels, oof.predictions, truth)
    score = task.example_metric(metric, truth).score(known.labels, known.probabilities)
    there = task.probabilities(test)
    each = len(there) // len(test.images)
    return estimated_ensemble(name, score, there, each, parts, probable)


def forecast_record(search: Search, metric: Metric, told: Estimated) -> ForecastRecord | None:
    """The forecast of merged predictions, as a record keeps it; None where nothing can be said.

    Args:
        search: A job on the same images.
        metric: The contest's.
        told: Of the promotion or blend.
    """
    if not told.accuracies:
        return None
    found = expected_score(search.task.example_metric(metric, search.truth), told)
    if not np.isfinite([found.holdout, found.score, found.low, found.high]).all():
        return None  # the metric is undefined where labels that were drawn lack a class
    return ForecastRecord(
        models=told.models,
        images=len(told.test) // told.each,
        gap=metric.gain(found.holdout, found.score),
        held_out=found.holdout,
        winner=ExpectedScore(score=found.score, low=found.low, high=found.high),
    )


def trainings_of(search: Search, arm: str, images: tuple[str, ...], view: str = "") -> list[Model]:
    """The trainings of a promoted trial.

    Args:
        search: The promotion.
        arm: The trial.
        images: Test images.
        view: Of test-time augmentation, that they look in; empty for the images as they are.

    Raises:
        InputError: If one predicted other test images.
    """
    labelled: dict[int, LabelledImages] = {}
    found = []
    for trial in search.trainings(arm):
        fold = trial.config.run.fold
        if fold not in labelled:
            labelled[fold] = LabelledImages.of_fold(search.folds_file, fold)
        model = trained_model(search, trial, labelled[fold], images, view)
        if model is None:
            raise InputError(f"{trial.id} predicted other test images than {search.id} did")
        found.append(model)
    return found
