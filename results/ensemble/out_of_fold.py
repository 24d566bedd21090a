"""What full training came to: out-of-fold predictions, the fold table, and an honest headline."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray

from results.metrics import Ints, Metric
from results.predictions import Predictions, predictions_file
from results.records.closing import Headline
from results.records.labelled_images import LabelledImages
from results.records.trial import Trial
from results.records.trials import Search
from results.stats.bootstrap import bootstrap_scores, bootstrap_weights
from results.stats.interval import Interval
from spaces.errors import InputError

DRAWS = 1000
LEVEL = 0.95


@dataclass(frozen=True, kw_only=True, eq=False)
class OutOfFold:
    """Predictions of training images by models that did not see them.

    Attributes:
        predictions: Of every image of the trained folds once, in the order of the training table.
        labels: int64 (n,).
        folds: int64 (n,), the fold that held each image out.
        groups: str (n,), or None.
        count: Folds that the split has in all.
    """

    predictions: Predictions
    labels: Ints
    folds: Ints
    groups: NDArray[np.str_] | None
    count: int


def out_of_fold(folds_file: Path, predictions: Predictions, count: int) -> OutOfFold:
    """Adds what is known of the images to predictions of them.

    Args:
        folds_file: The stored folds.
        predictions: Of training images.
        count: Folds that the split has in all.
    """
    labelled = LabelledImages.of_images(folds_file, predictions.images)
    return OutOfFold(
        predictions=predictions,
        labels=labelled.labels,
        folds=labelled.folds,
        groups=labelled.groups,
        count=count,
    )


def collect(search: Search, arm: str, view: str = "") -> tuple[OutOfFold, Predictions | None]:
    """Puts the folds of a promotion's arm together; seeds are averaged.

    Args:
        search: The promotion.
        arm: The promoted trial.
        view: Name of a view of test-time augmentation; empty for the images as they are.

    Returns:
        Out-of-fold predictions, and the test predictions averaged over folds and seeds (None if
        there are none).

    Raises:
        InputError: If a fold's predictions are of other images than it held out, or there is none.
    """
    trials = search.trainings(arm)
    by_fold: dict[int, list[Trial]] = {}
    for trial in trials:
        by_fold.setdefault(trial.config.run.fold, []).append(trial)
    if not by_fold:
        raise InputError(f"{search.id}: no fold of {arm} was trained to its end")
    images: list[str] = []
    found, tests = [], []
    for fold, runs in sorted(by_fold.items()):
        labelled = LabelledImages.of_fold(search.folds_file, fold)
        folders = [search.trial_folder(t) for t in runs]
        images += labelled.images
        held = [Predictions.read(f / predictions_file("holdout", view)) for f in folders]
        for predictions, folder in zip(held, folders, strict=True):
            if predictions.images != labelled.images:
                raise InputError(f"{folder} holds predictions of other images than the fold")
        found.append(search.task.average(held))
        paths = [f / predictions_file("test", view) for f in folders]
        tests += [Predictions.read(p) for p in paths if p.exists()]
    if len(set(images)) != len(images):
        raise InputError(f"{search.id}: an image is held out by two folds of {arm}")
    trained = set(images)
    order = LabelledImages.fold_of_images(search.folds_file)
    every = Predictions.joined(found).of(tuple(i for i in order if i in trained))
    judged = search.task.judged(every, search.truth)
    oof = out_of_fold(search.folds_file, judged, search.opened.folds.count)
    return oof, search.task.average(tests) if tests else None


def headline(metric: Metric, oof: OutOfFold, chose: Collection[int] = (0,)) -> Headline:
    """The metric on the folds that chose nothing, with its uncertainty.

    Args:
        metric: The contest's metric.
        oof: Out-of-fold predictions.
        chose: Folds that chose what was promoted: the hold-out, and those of a race.
    """
    judged = oof.predictions.judged.astype(np.float64)
    trained = sorted(set(oof.folds.tolist()))
    scores = {
        fold: metric.score(oof.labels[oof.folds == fold], judged[oof.folds == fold])
        for fold in trained
    }
    free = [f for f in trained if f not in chose] or [f for f in trained if f] or trained
    honest = np.isin(oof.folds, free)
    labels, p = oof.labels[honest], judged[honest]
    groups = None if oof.groups is None else oof.groups[honest]
    score = metric.score(labels, p)
    others = [scores[fold] for fold in free if fold]
    defined = {fold: s if np.isfinite(s) else None for fold, s in scores.items()}
    chosen = defined.get(0)
    return Headline(
        score=score,
        interval=_within(nadeau_bengio(score, others, oof.count), metric),
        given_models=_given_models(metric, labels, p, groups, score),
        folds=defined,
        chosen=chosen,
        optimism=None if chosen is None or not others else metric.gain(chosen, score),
        images=int(honest.sum()),
    )


def nadeau_bengio(centre: float, scores: Sequence[float], folds: int) -> Interval | None:
    """Interval for the score of models trained on other data.

    Scores of folds share most of their training images, so their variance is enlarged by the share
    of test to training images (Nadeau and Bengio, Inference for the generalization error, Machine
    Learning 52, 2003), with Student's t.

    Args:
        centre: Middle of the interval.
        scores: Of some of the folds.
        folds: Folds that the split has in all.

    Returns:
        None with fewer than two scores.
    """
    if len(scores) < 2:
        return None
    variance = float(np.var(scores, ddof=1)) * (1 / len(scores) + 1 / (folds - 1))
    half = float(scipy.stats.t.ppf((1 + LEVEL) / 2, len(scores) - 1)) * variance**0.5
    return Interval(value=centre, low=centre - half, high=centre + half)


def _within(interval: Interval | None, metric: Metric) -> Interval | None:
    """Cuts an interval to what the metric can be."""
    if interval is None:
        return None
    low, high = metric.range
    return Interval(value=interval.value, low=max(low, interval.low), high=min(high, interval.high))


def _given_models(
    metric: Metric,
    labels: Ints,
    probabilities: NDArray[np.float64],
    groups: NDArray[np.str_] | None,
    score: float,
) -> Interval:
    """The score and a t interval over images or groups, with the bootstrap's spread.

    Quantiles of the bootstrap would do worse twice: with few groups they are too near to one
    another, and resamples lack some of the images of rare classes, so that their macro F1 lies
    below the score whatever the truth.
    """
    drawn = bootstrap_weights(len(labels), DRAWS, groups)
    units = len(labels) if groups is None else len(np.unique(groups))
    if units < 2:
        return Interval(value=score, low=metric.range[0], high=metric.range[1])
    spread = float(np.nanstd(metric.weighted(labels, probabilities, drawn)))
    half = (
        float(scipy.stats.t.ppf((1 + LEVEL) / 2, units - 1)) * spread * (units / (units - 1)) ** 0.5
    )
    low, high = metric.range
    return Interval(value=score, low=max(low, score - half), high=min(high, score + half))


def arms_left(
    metric: Metric,
    labels: Ints,
    arms: Mapping[str, NDArray[np.floating]],
    groups: NDArray[np.str_] | None,
    most: int = 2,
) -> list[str]:
    """Which of several are still in the race: the best, and the next if it may well be better.

    Args:
        metric: The contest's metric.
        labels: int (n,).
        arms: What the metric is computed of, by name, on the same images.
        groups: str (n,), or None.
        most: How many may stay.

    Returns:
        Names, best first; others than the best only within a standard error of the paired
        difference.
    """
    sign = metric.sign
    drawn = bootstrap_scores(metric, labels, arms.values(), 200, groups)
    scores = dict(zip(arms, sign * drawn, strict=True))
    best, *others = sorted(scores, key=lambda name: -scores[name][0])
    near = [
        name
        for name in others
        if scores[best][0] - scores[name][0] <= np.nanstd(scores[best][1:] - scores[name][1:])
    ]
    return [best, *near][:most]
