"""Trained trials as the forecast sees them."""

from __future__ import annotations

from collections.abc import Iterable

from results.forecast.methods import Model
from results.predictions import Predictions, predictions_file
from results.records.labelled_images import LabelledImages
from results.records.trials import Search, Trial


def models_of(trials: Iterable[tuple[Search, Trial]]) -> list[Model]:
    """Finished trials that predicted the test images, each training once.

    Args:
        trials: With the same images and folds.
    """
    labelled: dict[int, LabelledImages] = {}
    found: dict[str, Model] = {}
    for search, trial in trials:
        folder = search.trial_folder(trial)
        test = folder / predictions_file("test")
        if trial.state != "finished" or not test.exists():
            continue
        fold = trial.config.run.fold
        if fold not in labelled:
            labelled[fold] = LabelledImages.of_fold(search.folds_file, fold)
        found.setdefault(
            trial.taken or trial.id,
            Model(
                id=trial.id,
                fold=fold,
                kin=trial.asked.replace(seed=0, fold=0).digest,
                labels=labelled[fold].labels,
                holdout=labelled[fold].probabilities(folder / predictions_file("holdout")),
                test=Predictions.read(test).probabilities,
            ),
        )
    return list(found.values())
