"""A promotion as a job: the gate, then K folds, out-of-fold predictions and an honest headline."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from results.records.opening import Promotion
from results.records.trials import Search
from results.reporting.promotion_page import SECOND_STAGE
from search.competition.corrections import recorded_corrections, trained_with
from search.competition.images import open_pictures
from search.competition.standing import Standing, band_rule, open_standing
from search.execution.driver import Driver
from search.execution.say import Say
from search.jobs.assembly import Materials, assemble
from search.jobs.baseline import check_side
from search.jobs.job import Prepared
from search.jobs.job_name import job_name
from search.jobs.kind import JobKind
from search.jobs.learned_images import check_learned_images
from search.jobs.network_checks import check_mixing, check_sizes, check_training
from search.jobs.own_functions import check_own_functions, check_pipelines
from search.options.analysis import CompetitionConfig
from search.options.parameters import flatten
from search.options.recorded import find_job
from search.options.same_place import same_place
from search.options.training import PromoteConfig
from search.options.user_code import own_functions, preparation_of
from search.planning.fold_plan import RACE_FOLDS, FoldsPlan
from search.planning.planned import Plan
from search.promotion.arms import promoted_arms
from search.promotion.gate import pass_gate
from search.promotion.outputs import close_promotion
from search.promotion.race import race_survivors
from spaces.errors import InputError
from spaces.sections.model import Smp, Timm
from spaces.shares import share_of
from spaces.trial_config import TrialConfig
from trainables.data.boxes import stored_boxes
from trainables.data.folds import Folds
from trainables.data.image_store import store_side
from trainables.portable.preparation import Preparation


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What becomes of images before networks see them.

    Attributes:
        preparation: Of the pictures.
        boxes: File of what is cut out of them; empty for none.
        focus: File of what mixing keeps to; empty for none.
    """

    preparation: Preparation
    boxes: str
    focus: str


class PromotionJob(JobKind):
    """Trains what passes the gate on all folds.

    Args:
        config: The command's options.

    Raises:
        InputError: If the gate does not let it through, or the options do not fit the search.
    """

    name = "promotion"

    def __init__(self, config: PromoteConfig) -> None:
        self._config = config
        going_on = find_job(config, "promotion") if config.resume else None
        asked = CompetitionConfig(
            competition=config.competition,
            runs=config.runs,
            tracking=config.tracking,
            metric=config.metric,
        )
        self._standing = open_standing(asked, like=going_on, rule=band_rule(config.band))
        self._folds = Folds.read(self._standing.search.folds_file)
        if config.folds > self._folds.count:
            raise InputError(
                f"folds={config.folds}: the search's split has {self._folds.count}; holdout.folds= "
                "of the search sets them"
            )
        self._rows = tuple(range(config.folds or self._folds.count))
        fewest = max(RACE_FOLDS) + 2
        if config.race and len(self._rows) < fewest:
            raise InputError(
                f"race={config.race} needs at least {fewest} folds, one of which chose nothing; "
                f"there are {len(self._rows)}"
            )
        self._asked = (
            going_on.promotion if going_on else _ask(config, self._standing, len(self._rows))
        )

    def prepare(self, say: Say) -> Prepared:
        """Checks networks and options, and opens the search's images."""
        config, standing, folds = self._config, self._standing, self._folds
        arms = self._asked.arms
        _check_networks(config, standing, arms)
        name = config.resume or job_name(config, standing.folder, "promotion")
        side = _store_side(arms, config.store.side)
        seen = _seen_alike({n: a.replace(store_side=side) for n, a in arms.items()}, config.prepare)
        corrections = recorded_corrections(standing.search, folds, trained_with(arms.values()))
        contest, store = open_pictures(
            standing, seen.preparation, seen.boxes, say, config.store.folder
        )
        focus = stored_boxes(standing.folder, seen.focus)
        contest = replace(contest, corrections=corrections, focus=focus)
        teachers = check_learned_images(
            arms.values(),
            self._rows,
            standing.folder,
            contest=contest,
            folds=folds,
            store=store,
            metric=standing.metric,
        )
        return assemble(
            config,
            Materials(
                name=name,
                contest=contest,
                folds=folds,
                store=store,
                metric=standing.metric,
                metric_reference=config.metric if ":" in config.metric else standing.metric.name,
                predict_test=bool(contest.test_images),
                baseline=next(iter(arms.values())).replace(store_side=side),
                teachers=teachers,
                promotion=self._asked,
            ),
        )

    def plan(self, prepared: Prepared, driver: Driver) -> Plan:
        """The folds of every arm, after a race if asked for."""
        side, race = prepared.baseline.data.store_side, self._asked.race
        return FoldsPlan(
            search=driver.search,
            arms={name: arm.replace(store_side=side) for name, arm in self._asked.arms.items()},
            folds=self._rows,
            seeds=self._config.seeds,
            race=race,
            survivors=lambda: race_survivors(driver.search, prepared.metric, race),
        )

    def close(self, search: Search, prepared: Prepared) -> dict[str, Any]:
        """Predictions, tables and the headline of every complete arm."""
        return close_promotion(search, prepared)

    def next_commands(self, search: Search) -> list[str]:
        """Look at it, and submit what it came to."""
        here = same_place(self._config)
        commands = [f"python -m search.show {search.id}{here}"]
        if search.arms:
            commands.append(f"python -m search.submit select=promotion:{search.id}{here}")
            if len(self._rows) == self._folds.count:
                commands.append(f"python -m search.labels promotion={search.id}{here}")
        return commands


def _ask(config: PromoteConfig, standing: Standing, folds: int) -> Promotion:
    """Passes the gate; what is to be trained, as the record keeps it.

    Raises:
        InputError: If the gate does not let it through, or the changes make no sense.
    """
    passage = pass_gate(config, standing)
    print("\n".join(passage.words), flush=True)
    arms, parents = promoted_arms(config, passage.chosen)
    race = SECOND_STAGE if len(arms) > len(passage.chosen) else RACE_FOLDS if config.race else ()
    scores = {c.id: c.score for c in passage.chosen}
    return Promotion(
        arms=arms,
        parents=parents,
        scores={arm: scores[parent] for arm, parent in parents.items()},
        changes=flatten(config.promote),
        optimism=passage.optimism,
        folds=folds,
        seeds=config.seeds,
        race=race,
        verdict=passage.verdict,
        force=passage.force,
    )


def _check_networks(
    config: PromoteConfig, standing: Standing, arms: Mapping[str, TrialConfig]
) -> None:
    """Checks that every arm can be trained, and fetches the weights that it starts from.

    Raises:
        InputError: If not.
    """
    from trainables.tasks.tasks import training_task

    task, classes = training_task(standing.task.name), len(standing.classes)
    check_own_functions(config, next(iter(arms.values())), classes, task)
    own = own_functions(model=config.model, loss=config.loss)
    masks = standing.search.truth is not None
    for arm in arms.values():
        check_training(arm, task, own)
        check_pipelines(arm.policy.pipelines(), [arm.data.size, arm.data.size_at(0.0)], masks=masks)
        check_mixing(arm, classes, functools.partial(task.network, own=own))
        check_sizes(arm)
        share_of(arm, config.resources.ranks)
        fetched = isinstance(arm.model, Timm | Smp) and (arm.model.pretrained or arm.model.weights)
        if fetched:  # once here, not by every worker
            task.network(arm, classes, own)


def _store_side(arms: Mapping[str, TrialConfig], asked: int) -> int:
    """The side at which images are stored for all arms; 0 for their own.

    Raises:
        InputError: If the one that was asked for is too small.
    """
    sides, largest = [], 0
    for arm in arms.values():
        data, sizes = arm.data, (max(arm.data.size), max(arm.data.prediction_size))
        needed = 0 if data.shape == "native" else store_side(*sizes)
        sides.append(data.store_side or needed)
        largest = max(largest, *sizes)
    side = asked or max(sides)
    check_side(side, largest)
    return side


def _seen_alike(arms: Mapping[str, TrialConfig], prepare: str) -> _Seen:
    """How the images of all arms are prepared.

    Raises:
        InputError: If they were prepared in different ways, or by a function that is not given.
    """
    ways = {
        _Seen(
            preparation=preparation_of(arm, prepare, name),
            boxes=arm.data.boxes,
            focus=arm.data.focus,
        )
        for name, arm in arms.items()
    }
    if len(ways) > 1:
        raise InputError(
            f"{', '.join(arms)} saw images that were prepared in different ways: promote them one "
            "by one"
        )
    return ways.pop()
