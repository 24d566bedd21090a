"""The untuned configuration of a job, with what its data and options make of it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from search.execution.say import Say
from search.jobs.contest_data import task_of_data
from search.jobs.searched_choices import categories, sizes_of
from search.options.parameters import flatten, with_given
from search.options.training import JobConfig
from spaces.augmentation.families import is_policy_parameter
from spaces.errors import InputError
from spaces.sections.data import Windows
from spaces.sections.labels import GIVEN
from spaces.space import SearchSpace
from spaces.trial_config import TrialConfig
from trainables.data.boxes import boxes_file
from trainables.data.contest import Contest
from trainables.data.contest_corrections import check_left
from trainables.data.folds import Folds
from trainables.data.image_store import store_side
from trainables.data.scored_images import affordable_images


def base_config(config: JobConfig, space: SearchSpace | None = None) -> TrialConfig:
    """The untuned configuration: defaults, the data's own, then the command line's.

    What is fixed of a policy whose rest is searched concerns sampled trials only.
    """
    task = task_of_data(config.data)
    settings = {**task.defaults, **flatten(config.data.baseline)}
    base = with_given(TrialConfig(), settings, "data.baseline")
    if config.epochs:  # a short trial run should not fail for the default's warm-up
        base = base.shortened(config.epochs)
    asked = {
        "model": config.model,
        "loss": config.loss,
        "weights": config.weights,
        "interpolation": config.data.interpolation,
    }
    changes: dict[str, Any] = {name: value for name, value in asked.items() if value}
    changes["seed"] = config.seed
    if config.data.shape == "native":  # before what is fixed, which may be about windows
        changes |= {"framing": "windows", "shape": "native"}
    if config.pretrained is not None:
        changes["pretrained"] = config.pretrained
    fix = flatten(config.fix)
    if space is not None and any(is_policy_parameter(p.name) for p in space.params):
        own = "policy" in fix  # a family that is pinned is the baseline's, too
        fix = {
            name: value
            for name, value in fix.items()
            if not is_policy_parameter(name) or (own and not name.startswith("stage"))
        }
    return with_given(base.replace(**changes), fix, "fix")


def with_corrections(
    baseline: TrialConfig, space: SearchSpace | None, contest: Contest, folds: Folds
) -> TrialConfig:
    """The configuration with the identity of the data's corrections.

    Raises:
        InputError: If there are none, but labels are to be corrected, or they leave too little.
    """
    kinds = {baseline.labels.kind, *categories(space).get("labels", ())} - {GIVEN}
    if contest.corrections is None:
        if kinds:
            raise InputError(
                f"labels={min(kinds)}: there are no corrections; data.corrections= names a table "
                "of them, such as python -m search.labels proposes after a promotion"
            )
        return baseline
    for kind in sorted(kinds):
        check_left(kind, contest.corrections, contest.truth, folds)
    return baseline.replace(corrections=contest.corrections.digest)


def with_images(
    config: JobConfig, baseline: TrialConfig, space: SearchSpace | None, contest: Contest
) -> TrialConfig:
    """The configuration with what all images of the job have in common.

    Raises:
        InputError: If one store cannot do for all the sizes that are trained.
    """
    sizes, predicted = sizes_of(baseline, space)
    seen = [*sizes, *(size for size in predicted if any(size))]
    proportions = {Fraction(*size) for size in seen}
    if config.data.shape in ("pad", "crop") and len(proportions) > 1:
        raise InputError(
            f"data.shape={config.data.shape} keeps the proportions of the network's input, so all "
            f"sizes need the same: {', '.join(f'{h}x{w}' for h, w in dict.fromkeys(seen))}"
        )
    largest = max(max(size) for size in seen)
    native = config.data.shape == "native"
    side = config.store.side or (0 if native else store_side(max(map(max, sizes)), largest))
    check_side(side, largest)
    return baseline.replace(
        store_side=side,
        boxes=boxes_file(contest.boxes),
        focus=boxes_file(contest.focus),
        prepare=config.prepare,
        framing="windows" if native else "resized",
        shape=config.data.shape,
    )


def check_side(side: int, largest: int) -> None:
    """Raises InputError if images are stored smaller than networks see them; 0 is as they are."""
    if side < largest and side:
        raise InputError(f"store.side={side} is below the largest size {largest}")


def with_scored(
    config: JobConfig,
    baseline: TrialConfig,
    contest: Contest,
    folds: Folds,
    say: Say,
) -> TrialConfig:
    """The configuration with how many held-out images are scored before the last epoch.

    Raises:
        InputError: If images are not predicted in windows, so that all of them are.
    """
    asked = config.predict.scored_images
    if not isinstance(baseline.data, Windows) or contest.truth is None:
        if asked:
            raise InputError(
                f"predict.scored_images={asked}: images are not predicted in windows "
                "(data.shape=native), so that every epoch scores all of them"
            )
        return baseline
    count = asked or affordable_images(baseline, folds, contest.truth.masks.shapes)
    held_out = len(folds.held_out(baseline.run.fold))
    if not 0 < count < held_out:
        return baseline.replace(scored_images=max(0, count))
    say(
        f"before the last epoch, {count} of {held_out} held-out images are scored, the same for "
        "all trials; predict.scored_images= sets how many"
    )
    return baseline.replace(scored_images=count)
