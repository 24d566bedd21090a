"""Trained trials as the forecast sees them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from results.forecast.methods import Model
from results.predictions import Predictions, predictions_file
from results.records.labelled_images import LabelledImages
from results.records.trial import Trial
from results.records.trials import Search

MOST = 60
"""Models that are looked at: pairs of them are compared, and more would say no more."""


def models_of(
    trials: Iterable[tuple[Search, Trial]],
    wanted: Collection[str] = (),
    images: tuple[str, ...] = (),
) -> list[Model]:
    """Finished trials that predicted the test images, each training once.

    Controls and those that are wanted come first, then the best, up to `MOST`.

    Args:
        trials: With the same images and folds.
        wanted: Ids that are not to be left out.
        images: Test images that they predicted; empty for those of the first.
    """

    def rank(both: tuple[Search, Trial]) -> tuple[bool, float]:
        search, trial = both
        sampled = trial.why == "sampled" and trial.id not in wanted
        return sampled, -search.sign * (trial.score(search.metric) or 0.0)

    finished = sorted(
        ((s, t) for s, t in trials if t.state == "finished" and _test_file(s, t).exists()),
        key=rank,
    )
    if finished and not images:
        images = Predictions.read(_test_file(*finished[0])).images
    labelled: dict[int, LabelledImages] = {}
    found: dict[str, Model] = {}
    for search, trial in finished[:MOST]:
        fold, training = trial.config.run.fold, trial.taken or trial.id
        if training in found and trial.id not in wanted:
            continue
        if fold not in labelled:
            labelled[fold] = LabelledImages.of_fold(search.folds_file, fold)
        model = trained_model(search, trial, labelled[fold], images)
        if model is not None:
            found[training] = model
    return list(found.values())


def trained_model(
    search: Search,
    trial: Trial,
    labelled: LabelledImages,
    images: tuple[str, ...],
    view: str = "",
) -> Model | None:
    """A trial that has predicted the test images; None where it predicted others.

    Args:
        search: Of it.
        trial: The trial.
        labelled: The fold that it was not trained on.
        images: Test images.
        view: Of test-time augmentation, that it looks in; empty for the images as they are.
    """
    test = Predictions.read(_test_file(search, trial, view))
    if test.images != images:
        return None
    held = Predictions.read(search.trial_folder(trial) / predictions_file("holdout", view))
    known = search.task.examples(labelled.labels, held, search.truth)
    there, groups = search.task.probabilities(test), labelled.groups
    return Model(
        id=trial.id,
        fold=trial.config.run.fold,
        kin=trial.asked.replace(seed=0, fold=0).digest,
        labels=known.labels,
        holdout=known.probabilities,
        test=there,
        each=len(there) // len(images),
        units=known.rows if groups is None else groups[known.rows],
    )


def _test_file(search: Search, trial: Trial, view: str = "") -> Path:
    return search.trial_folder(trial) / predictions_file("test", view)
