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
    labelled: dict[int, LabelledImages] = {}
    found: dict[str, Model] = {}
    for search, trial in finished[:MOST]:
        folder = search.trial_folder(trial)
        test = Predictions.read(_test_file(search, trial))
        images = images or test.images
        if test.images != images:  # of another table of test images
            continue
        fold = trial.config.run.fold
        if fold not in labelled:
            labelled[fold] = LabelledImages.of_fold(search.folds_file, fold)
        training = trial.taken or trial.id
        if training in found and trial.id not in wanted:
            continue
        held = Predictions.read(folder / predictions_file("holdout"))
        known = search.task.examples(labelled[fold].labels, held, search.truth)
        there, groups = search.task.probabilities(test), labelled[fold].groups
        found[training] = Model(
            id=trial.id,
            fold=fold,
            kin=trial.asked.replace(seed=0, fold=0).digest,
            labels=known.labels,
            holdout=known.probabilities,
            test=there,
            each=len(there) // len(images),
            units=known.rows if groups is None else groups[known.rows],
        )
    return list(found.values())


def _test_file(search: Search, trial: Trial) -> Path:
    return search.trial_folder(trial) / predictions_file("test")
