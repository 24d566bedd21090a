"""What a promotion's models say of test images, for trainings that are to learn from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from results.leaderboard.leaderboard import Leaderboard
from results.masks.counts import VOID
from results.masks.pixels import GRID, sampled
from results.predictions import Predictions, predictions_file
from results.records.searches import whole_searches
from results.records.trial import Trial
from results.records.trials import Search
from spaces.errors import InputError, unknown
from spaces.sections.pseudo import SOFT, Taught
from spaces.sections.run import MixMatch
from spaces.trial_config import TrialConfig
from trainables.data.contest import Contest
from trainables.data.folds import Folds
from trainables.data.mask_teachers import RIGHT, UNKNOWN, WRONG, Labelled, MaskTeachers
from trainables.data.teachers import Teachers


def check_rules(configs: Iterable[TrialConfig], competition: Path) -> None:
    """Raises InputError if trainings would learn from test images that the rules keep closed."""
    leaderboard = Leaderboard.read(competition)
    for config in configs:
        for learns, words in (
            (isinstance(config.pseudo, Taught), f"pseudo={config.pseudo.kind}"),
            (isinstance(config.run, MixMatch), f"action={config.run.kind}"),
        ):
            if learns:
                leaderboard.check_test_images(words)


def find_teachers(
    configs: Iterable[TrialConfig], competition: Path, contest: Contest, folds: Folds
) -> dict[str, Teachers | MaskTeachers]:
    """What the teachers of some trainings say, by the name of the promotion.

    Args:
        configs: The trainings.
        competition: The competition's folder.
        contest: Images and classes.
        folds: Which image is held out when.

    Raises:
        InputError: If nobody is named, or a promotion is missing, has not ended, lacks test
            predictions, or is of other folds, classes or test images.
    """
    taught = [c.pseudo for c in configs if isinstance(c.pseudo, Taught)]
    if not taught:
        return {}
    promotions = {s.id: s for s in whole_searches(competition) if s.opened.kind == "promotion"}
    for settings in taught:
        if settings.teachers not in promotions:
            choices = f"; choices: {', '.join(promotions)}" if promotions else ""
            if not settings.teachers:
                raise InputError(
                    f"pseudo={settings.kind} needs the models of a promotion: "
                    f"fix.teachers=<its name>{choices or '; python -m search.promote makes one'}"
                )
            raise unknown("promotion", settings.teachers, promotions, "teachers")
    soft = {settings.teachers for settings in taught if settings.kind == SOFT}
    return {
        name: _of_promotion(promotions[name], contest, folds, soft=name in soft)
        for name in sorted({settings.teachers for settings in taught})
    }


def _of_promotion(
    search: Search, contest: Contest, folds: Folds, *, soft: bool
) -> Teachers | MaskTeachers:
    """The mean over all complete arms and seeds: none is chosen by a score."""
    place = f"teachers={search.id}"
    arms = search.summary.arms if search.summary is not None else {}
    if not arms:
        raise InputError(f"{place} has no trial with all of its folds; resume={search.id} goes on")
    if search.opened.folds.digest != folds.digest:
        raise InputError(f"{place} has other folds: what it was trained on would be held out here")
    if search.opened.classes != contest.classes:
        raise InputError(f"{place} has other classes")
    done = [t for t in search.of("fold") if t.arm in arms and t.state == "finished"]
    by_fold = {
        fold: [t for t in done if t.config.run.fold == fold]
        for fold in sorted({t.config.run.fold for t in done})
    }
    if contest.truth is None:
        return _of_classes(search, contest, folds, by_fold)
    return _of_masks(search, contest, folds, by_fold, soft=soft)


def _of_classes(
    search: Search, contest: Contest, folds: Folds, by_fold: Mapping[int, list[Trial]]
) -> Teachers:
    held_out = np.zeros((len(folds.images), len(contest.classes)), np.float32)
    test = []
    for fold, trials in by_fold.items():
        rows = folds.held_out(fold)
        images = tuple(folds.images[row] for row in rows)
        held_out[rows] = _mean(search, trials, "holdout", images).probabilities
        test.append(_mean(search, trials, "test", contest.test_images).probabilities)
    return Teachers(folds=np.array([*by_fold], np.int64), test=np.stack(test), held_out=held_out)


def _of_masks(
    search: Search,
    contest: Contest,
    folds: Folds,
    by_fold: Mapping[int, list[Trial]],
    *,
    soft: bool,
) -> MaskTeachers:
    truth, test = contest.truth, {}
    assert truth is not None
    confidence = np.zeros((len(folds.images), GRID**2), np.uint8)
    labels, right = np.zeros_like(confidence), np.full_like(confidence, UNKNOWN)
    for fold, trials in by_fold.items():
        rows = folds.held_out(fold)
        images = tuple(folds.images[row] for row in rows)
        for row, mask in zip(rows, _mean(search, trials, "holdout", images).masks, strict=True):
            said, true = sampled(mask), sampled(truth.masks[truth.rows[folds.images[row]]])
            labels[row], confidence[row] = truth.told(said)
            right[row] = np.where(labels[row] == true, RIGHT, WRONG)
            right[row][true == VOID] = UNKNOWN
        told = _mean(search, trials, "test", contest.test_images).masks
        test[fold] = Labelled.of(told, truth, soft=soft)
    return MaskTeachers(test=test, labels=labels, confidence=confidence, right=right)


def _mean(search: Search, trials: list[Trial], part: str, images: tuple[str, ...]) -> Predictions:
    found = []
    for trial in trials:
        path = search.trial_folder(trial) / predictions_file(part)
        if not path.exists():
            raise InputError(f"teachers={search.id}: {trial.id} lacks predictions ({path})")
        predictions = Predictions.read(path)
        if predictions.images != images:
            raise InputError(f"teachers={search.id}: {path} is of other images than the contest's")
        found.append(predictions)
    return search.task.average(found)
