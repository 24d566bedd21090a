"""Preparing a job: data, folds, networks and options are checked before any training starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from results.leaderboard.leaderboard import Leaderboard
from results.metrics import Metric
from search.execution.say import Say, every_second
from search.jobs.assembly import Materials, assemble
from search.jobs.baseline import base_config, with_corrections, with_images, with_scored
from search.jobs.contest_data import read_contest, task_of_data
from search.jobs.contest_folds import contest_folds
from search.jobs.contest_stress import find_stress
from search.jobs.job import Prepared, resolve_metric
from search.jobs.job_name import job_name
from search.jobs.learned_images import check_learned_images
from search.jobs.network_checks import check_networks
from search.jobs.own_functions import check_pipelines
from search.jobs.searched_choices import (
    categories,
    check_effect,
    check_model,
    check_values,
    kinds_of,
    sizes_of,
)
from search.jobs.window_checks import tested_window_warnings, window_warnings
from search.options.parameters import flatten
from search.options.training import JobConfig, RunConfig, TrainConfig
from search.options.user_code import preparation_of
from search.planning.search_plan import CONFIRM_FOLD
from spaces.augmentation.families import PIPELINES, pipeline_name
from spaces.errors import InputError
from spaces.shares import share_of
from spaces.space import SearchSpace
from spaces.trial_config import TrialConfig
from trainables.audit.duplicate_checks import crossing, identical_files, near_pictures
from trainables.audit.missing_labels import missing_labels
from trainables.audit.neighbours import near_duplicates
from trainables.audit.same_files import other_files
from trainables.data.contest import Contest
from trainables.data.focus import boxes_in_store
from trainables.data.folds import Folds
from trainables.data.image_store import ImageStore
from trainables.data.store_building import build_store
from trainables.data.tables import AUTO


def prepare(
    config: JobConfig,
    label: str,
    space: SearchSpace | None = None,
    say: Say = lambda line: None,
) -> Prepared:
    """Reads and checks data, folds, networks and options, and decodes the images.

    Nothing of the job itself is written yet.

    Args:
        config: The command's configuration.
        label: Second half of the default name.
        space: What will be searched; its choices of backbones and sizes are checked, too.
        say: Told what takes long.

    Raises:
        InputError: For anything wrong with them.
    """
    fix = flatten(config.fix)
    baseline = _asked_for(config, space, fix)
    reference, metric = _metric(config)
    contest = _read(config, say)
    runs = Path(config.runs)
    stress, compared = find_stress(config, contest, runs)
    folds = contest_folds(contest, config.holdout, runs, say)
    if baseline.run.fold >= folds.count:
        raise InputError(
            f"fold={baseline.run.fold}: with {folds.count} folds they run from 0 to "
            f"{folds.count - 1}"
        )
    baseline = with_corrections(baseline, space, contest, folds)
    baseline = with_images(config, baseline, space, contest)
    mirrored = tuple(window_warnings(baseline, space, contest))
    baseline = with_scored(config, baseline, contest, folds, say)
    pipelines = tuple(PIPELINES[pipeline_name(named)] for named in config.pipelines)
    check_pipelines(pipelines, _seen(baseline, space), masks=contest.truth is not None)
    costs = check_networks(config, baseline, space, fix, contest, say)

    name = config.resume or job_name(config, runs / contest.name, label)
    store = _store(config, contest, baseline, name, say)
    trained = list(kinds_of(baseline, space, fix))
    boxes_in_store(contest.focus, store, baseline)
    teachers = check_learned_images(
        trained,
        _held_out(config, baseline),
        runs / contest.name,
        contest=contest,
        folds=folds,
        store=store,
        metric=metric,
    )
    resized = {
        how: _store(config, contest, baseline.replace(interpolation=how), name, say)
        for how in categories(space).get("interpolation", ())
    }
    warnings = (
        *mirrored,
        *tested_window_warnings(baseline, space, contest, store),
        *(f"{f.what}: {f.advice}" for f in missing_labels(contest)),
        *_told_twice(config, contest, folds, store),
        *_unused(config, trained, categories(space).get("policy", ())),
    )
    return assemble(
        config,
        Materials(
            name=name,
            contest=contest,
            folds=folds,
            store=store,
            resized=resized,
            metric=metric,
            metric_reference=reference,
            predict_test=config.predict.test,
            baseline=baseline,
            teachers=teachers,
            space=space,
            stress=stress,
            pipelines=pipelines,
            objective=compared,
            costs=costs,
            warnings=warnings,
        ),
    )


def _asked_for(config: JobConfig, space: SearchSpace | None, fix: Mapping[str, Any]) -> TrialConfig:
    """The untuned configuration, once options have been held against each other and the space."""
    baseline = base_config(config, space)
    if isinstance(config, TrainConfig):
        baseline = baseline.replace(fold=config.fold)
    own = {
        "model": config.model,
        "loss": config.loss,
        "data.interpolation": config.data.interpolation,
    }
    for key, given in own.items():
        name = key.removeprefix("data.")
        if given and name in fix:
            raise InputError(f"{key}={given} and fix.{name}={fix[name]}: give one")
    if config.data.focus and config.prepare:
        raise InputError(
            f"prepare={config.prepare} may move what data.focus= tells the place of: give one"
        )
    check_effect(fix, baseline, categories(space), "fix")
    share_of(baseline, config.resources.ranks)
    if space is not None:
        check_model(space, baseline)
        check_values(space, baseline, fix, config.resources.ranks)
    return baseline


def _metric(config: JobConfig) -> tuple[str, Metric]:
    """What the metric is called, and the metric: as asked for, the data's own, or the task's."""
    task = task_of_data(config.data)
    reference = config.metric or config.data.metric or task.metric_name
    option = "metric" if config.metric else "data.metric"
    return reference, resolve_metric(reference, config.direction, task.name, option)


def _read(config: JobConfig, say: Say) -> Contest:
    """The contest, whose rules are remembered.

    Raises:
        InputError: For anything wrong with its tables, or with groups for a person to look at.
    """
    runs = Path(config.runs)
    ungrouped = config.data.group == AUTO
    data = replace(config.data, group="") if ungrouped else config.data
    contest = read_contest(data, runs, config.holdout)
    Leaderboard.read(runs / contest.name).set_rules(test_images=config.rules.test_images)
    if ungrouped:
        from search.jobs.proposed_groups import ask_for_groups

        ask_for_groups(contest, config.holdout, runs, say)
    return contest


def _store(
    config: JobConfig,
    contest: Contest,
    baseline: TrialConfig,
    name: str,
    say: Say,
) -> ImageStore:
    """The images as a configuration of a job sees them, decoded if they are not yet."""
    folder = config.store.folder or Path(config.runs) / contest.name / "store"
    preparation = preparation_of(baseline, config.prepare, name)
    progress = every_second(say, "decoding images")
    return build_store(contest, preparation, Path(folder), say, progress)


def _told_twice(
    config: JobConfig, contest: Contest, folds: Folds, store: ImageStore
) -> Iterator[str]:
    """Warnings of pictures that are there twice.

    Raises:
        InputError: Where that makes scores meaningless and is not accepted.
    """
    near = _near_duplicates(config, contest, folds, store)
    for finding in (
        *identical_files(contest, folds, store.file_digests),
        *near_pictures(contest, folds, near),
    ):
        if finding.severity == "note":
            continue
        place = finding.places[0]
        names = f"{contest.images[place.row]} and {contest.images[place.other]}"
        words = f"{finding.what} ({names}, …)"
        audited = place.other < contest.own
        shown = "; python -m search.audit shows them" if audited else ""
        accepted = "duplicates" in config.accept or config.resume
        if finding.severity == "stop" and not accepted:
            raise InputError(f"{words}; {finding.advice}{shown}")
        yield f"{words}{shown}"


def _near_duplicates(
    config: JobConfig, contest: Contest, folds: Folds, store: ImageStore
) -> NDArray[np.int64]:
    """Pairs of rows of pictures that are nearly the same and that a job has to know of; of test
    images if the rules allow."""
    rows = np.arange(len(store.images))
    if not Leaderboard.read(Path(config.runs) / contest.name).test_images:
        trained = len(contest.train_images)
        tested = (rows >= trained) & (rows < contest.own)
        rows = rows[~tested]
    pairs = crossing(contest, folds, near_duplicates(store.fingerprints, rows))
    return other_files(pairs, store.file_digests)


def _seen(baseline: TrialConfig, space: SearchSpace | None) -> Iterator[tuple[int, int]]:
    """Sizes that trainings see, at their beginnings and at their ends."""
    first = baseline.data.first_share
    if space is not None and "first_share" in space:
        first = space["first_share"].smallest
    for size in sizes_of(baseline, space)[0]:
        yield size
        yield baseline.replace(size=size, first_share=first).data.size_at(0.0)


def _unused(
    config: JobConfig, trained: Sequence[TrialConfig], policies: Sequence[str]
) -> Iterator[str]:
    """Warnings of pipelines and extra images that are named and that nothing learns from."""
    used = {p.name for c in trained for p in c.policy.pipelines()} | set(policies)
    for reference in config.pipelines:
        name = pipeline_name(reference)
        if name not in used:
            yield (
                f"pipelines=[{reference}] is not trained with: fix.policy={name} does so, and "
                "space=policies asks whether it helps"
            )
    if config.data.extra and all(c.extra.kind == "none" for c in trained):
        yield (
            f"data.extra={config.data.extra} is not trained on: fix.extra=all does so, and "
            "space=extra asks whether it helps"
        )


def _held_out(config: JobConfig, baseline: TrialConfig) -> set[int]:
    """The folds that a job's trainings hold out."""
    confirmed = isinstance(config, RunConfig) and config.confirm
    return {baseline.run.fold, *([CONFIRM_FOLD] if confirmed else [])}
