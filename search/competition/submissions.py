"""Submission files: of trials, promotions and blends, and those made elsewhere."""

from __future__ import annotations

import functools
import json
import secrets
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from results.leaderboard.coco_form import SUFFIX, CocoForm
from results.leaderboard.entries import Source, Submission
from results.leaderboard.form import Form
from results.leaderboard.submission_file import check_ids, read_validation
from results.masks.processed_masks import processed
from results.predictions import Predictions, predictions_file
from results.records.labelled_images import LabelledImages
from results.records.searches import searches
from results.records.trial import Trial
from results.records.trials import Search
from results.records.user import user_name
from results.tasks.classification import Classification
from search.competition.candidates import Candidate, pick
from search.competition.images import prepared_images
from search.competition.standing import Standing, band_rule, open_standing
from search.competition.submission_form import (
    NEEDS_PROBABILITIES,
    meaning,
    positive_of,
    submission_form,
)
from search.jobs.job_name import check_meaning
from search.options.analysis import SubmitConfig
from search.options.exit_codes import OK
from search.options.user_code import network_builder
from search.promotion.ensemble_members import Member
from search.promotion.merged import find_merged
from search.promotion.recorded_postprocess import find_postprocess
from spaces.errors import InputError, unknown
from spaces.names import check_name


def submit(config: SubmitConfig) -> int:
    """Writes submissions; returns the exit code."""
    standing = open_standing(config, rule=band_rule(config.band))
    if config.positive:
        if config.positive not in standing.classes or len(standing.classes) != 2:
            raise unknown("class", config.positive, standing.classes, "positive=, one of two")
        standing.known = standing.knowing(config.positive)
    made = [_take_in(config, standing)] if config.file else _write(config, standing)
    leaderboard = standing.leaderboard
    if made and (words := meaning(standing, config.sample, made[0])):
        print(words)
    left = leaderboard.allowance()
    if left is not None:
        print(left.words)
    print("Next, when the leaderboard has answered:")
    name = made[0].id if made else "s001"
    print(f"  python -m search.score submission={name} public=0.83")
    if config.json:
        print(json.dumps([{"id": s.id, "path": s.file} for s in made]))
    return OK


def _write(config: SubmitConfig, standing: Standing) -> list[Submission]:
    leaderboard, folder = standing.leaderboard, standing.folder
    if config.select.startswith(("promotion:", "blend:", "postprocess:")):
        return _write_merged(config, standing)
    if standing.unlabelled is not None:
        print(standing.unlabelled.words)
    band = len(standing.band) if config.select.startswith("band:") else 0
    pool = [c for c in standing.pool if c.trial is not None]
    made = []
    for candidate in pick(pool, config.select, band, unfit(standing)):
        assert candidate.trial is not None
        before = leaderboard.of_trial(candidate.id)
        if before is not None:
            print(f"{candidate.id} is {before.id} already: {standing.submission_file(before)}")
            continue
        file = candidate.folder / predictions_file("test")
        if not file.is_file():
            raise InputError(
                f"{candidate.id} has no test predictions to submit: it was trained without test "
                "images (data.test=), or with predict.test=false"
            )
        stored = Predictions.read(file)
        form = submission_form(standing, config.sample, stored.images)
        off = _check(candidate.search, candidate.trial, config)
        draft = _drafted(folder, form, functools.partial(form.write, stored))
        by, positive = config.by or user_name(), positive_of(form)
        submission = leaderboard.add_submission(candidate.id, draft, by, positive=positive)
        path = standing.submission_file(submission)
        print(
            f"{submission.id}: {path}\n  {candidate.id}, {standing.metric.name} "
            f"{candidate.score:.4f} on the hold-out{_expected(candidate)}; images read anew agree "
            f"within {off:.1g}"
        )
        made.append(submission)
    return made


def _expected(candidate: Candidate) -> str:
    """What its search's closing page expects of the test, if it is the winner."""
    closed = candidate.search.summary
    if closed is None or closed.forecast is None or closed.winner != candidate.id:
        return ""
    return closed.forecast.words


def _write_merged(config: SubmitConfig, standing: Standing) -> list[Submission]:
    """Writes predictions that several trainings made together, post-processed if asked for."""
    leaderboard, folder = standing.leaderboard, standing.folder
    kind, _, name = config.select.partition(":")
    if kind == "postprocess":
        record = find_postprocess(standing, name, f"select={config.select}")
        merged = find_merged(standing, record.source)
        words = f"{merged.name} {record.words}; before, {merged.words}"
    else:
        record, merged = None, find_merged(standing, config.select)
        words = merged.words
    before = leaderboard.of_trial(name)
    if before is not None:
        print(f"{name} is {before.id} already: {standing.submission_file(before)}")
        return []
    stored = merged.test()
    if record is not None and standing.search.truth is not None:
        stored = processed(stored, record.settings, standing.search.truth.form)
    form = submission_form(standing, config.sample, stored.images)
    off = _check_members(merged.members, config)
    draft = _drafted(folder, form, functools.partial(form.write, stored))
    source: Source = merged.kind if record is None else "postprocess"
    by, positive = config.by or user_name(), positive_of(form)
    submission = leaderboard.add_submission(name, draft, by, source=source, positive=positive)
    path = standing.submission_file(submission)
    print(f"{submission.id}: {path}\n  {name}, {words}; images read anew agree within {off:.1g}")
    return [submission]


def _check_members(members: list[Member], config: SubmitConfig) -> float:
    """Parity of every training that has a part in a submission; imports have none."""
    return max(
        (
            _check(member.search, trial, config, member.view)
            for member in members
            if member.search is not None
            for trial in member.trials()
        ),
        default=0.0,
    )


def _take_in(config: SubmitConfig, standing: Standing) -> Submission:
    """Records a submission that was made elsewhere."""
    leaderboard, folder, source = standing.leaderboard, standing.folder, Path(config.file)
    name = config.name or source.stem
    key = "name" if config.name else "file"
    check_name(name, key)
    check_meaning(name, key)
    taken = {t: "a trial" for search in standing.searches for t in search.trials}
    taken |= {p.name: "a search" for p in searches(folder.parent) if p.parent == folder}
    taken |= {s.trial: s.id for s in leaderboard.submissions.values()}
    if name in taken:
        raise InputError(f"{key}={name}: that is {taken[name]} already; choose another by name=")
    if not standing.test_images:
        raise InputError("there are no test predictions yet to compare a submission with")
    form = submission_form(standing, config.sample, standing.test_images)
    form.check(source)
    if config.validation and standing.task.name != Classification.name:
        raise InputError("validation= takes predictions of classes of images, not of masks")
    with tempfile.TemporaryDirectory(prefix=".import-", dir=folder) as scratch:
        given = _given_predictions(config, standing, Path(scratch)) if config.validation else {}
        draft = _drafted(folder, form, functools.partial(shutil.copyfile, source))
        submission = leaderboard.add_submission(
            name,
            draft,
            config.by or user_name(),
            source="import",
            predictions=given,
            positive=positive_of(form),
        )
    path = standing.submission_file(submission)
    print(f"{submission.id}: {path}\n  {name}, made elsewhere by {submission.by}")
    if submission.holdout:
        holdout = standing.labelled.judged(folder / submission.holdout)
        score = standing.metric.score(standing.labelled.labels, holdout)
        print(f"  {standing.metric.name} {score:.4f} on the hold-out")
    else:
        print("  without validation= its score will say nothing about validation")
    return submission


def _given_predictions(config: SubmitConfig, standing: Standing, scratch: Path) -> dict[str, Path]:
    """Writes a foreign model's predictions; returns the files by what they predict.

    Beside those of the test, which are compared with others', out-of-fold predictions make it a
    candidate for blends.
    """
    path = Path(config.validation)
    given = read_validation(
        path,
        standing.labelled.images,
        LabelledImages.fold_of_images(standing.search.folds_file),
        standing.classes,
        standing.known.positive,
    )
    if standing.metric.name in NEEDS_PROBABILITIES and given.certain:
        raise InputError(
            f"validation={path}: {standing.metric.name} needs probabilities, a column per class"
        )
    source = Path(config.test or config.file)
    test = standing.task.read_submission(source, standing.known)
    check_ids(test.images, standing.test_images, source)
    parts = {
        "holdout": given.of(standing.labelled.images),
        "test": test.of(standing.test_images),
    }
    if len(given.images) > len(standing.labelled.images):
        if test.certain and not given.certain:
            given = given.as_labels()  # a blend has to be judged on what it will be made of
        parts["oof"] = given
    files = {part: scratch / f"{part}.npz" for part in parts}
    for part, predictions in parts.items():
        predictions.write(files[part])
    return files


def _drafted(folder: Path, form: Form, write: Callable[[Path], object]) -> Path:
    """A file of its own, checked, for a submission that has no id yet.

    Args:
        folder: The competition's.
        form: Of the submission.
        write: Writes it.
    """
    submissions = folder / "submissions"
    submissions.mkdir(exist_ok=True)
    name = f".draft-{secrets.token_hex(4)}"
    if not isinstance(form, CocoForm):
        draft = submissions / f"{name}.csv"
        write(draft)
        return draft
    form.check_ids(submissions)
    draft = submissions / f"{name}{SUFFIX}"
    write(draft)
    form.keep(submissions)
    return draft


def unfit(standing: Standing) -> dict[str, str]:
    """Trials that cannot be submitted, with the reason."""
    words = {
        "stopped": "was stopped early: it has no test predictions",
        "failed": "failed",
        "interrupted": "was interrupted",
        "running": "is still running",
    }
    found = {
        t.id: words[t.state]
        for search in standing.searches
        for t in search.trials.values()
        if t.state in words
    }
    for search in standing.searches:
        for trial in search.trials.values():
            if trial.state == "finished" and trial.config.run.fold != 0:
                found[trial.id] = f"held out fold {trial.config.run.fold}, not the hold-out"
            elif trial.state == "finished" and trial.why == "segment":
                found[trial.id] = "is part of a population: it has no test predictions"
    found |= {c.id: "was made elsewhere" for c in standing.pool if c.trial is None}
    return found | {name: f"is the same training as {of}" for name, of in standing.twins.items()}


def _check(search: Search, trial: Trial, config: SubmitConfig, view: str = "") -> float:
    """Largest difference between stored predictions and those of images read anew."""
    from trainables.inference.parity import check_parity
    from trainables.tasks.tasks import training_task

    return check_parity(
        trial.config,
        search.trial_folder(trial),
        prepared_images(search, trial, config.prepare),
        search.opened.classes,
        network_builder(search, trial, config.model),
        training_task(search.opened.task),
        view,
    )
