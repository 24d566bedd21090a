"""python -m search.promote — full K-fold training of what the search found, if it can be believed.

Passes the gate of trust, trains the folds (those that were trained before are taken over), and
writes out-of-fold and test predictions, the fold table and an honest headline.

  python -m search.promote                     the best, on all folds of the search
  python -m search.promote folds=2             two folds: cheap, and worth a submission
  python -m search.promote race=3              the top three run two folds first
  python -m search.promote resume=latest       after a kill, a reboot or a deadline
  python -m search.promote select=a-003,b-001 seeds=2
  python -m search.promote promote.backbone=resnet18 promote.size=96 epochs=30
  python -m search.promote 'promote.backbone=[resnet18,resnet34]'    the better on the hold-out
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from results.promotion import (
    collect,
    contenders_left,
)
from results.report import SECOND_STAGE
from results.trials import Search
from search.board import Standing, open_standing
from search.board_config import CompetitionConfig
from search.cli import main
from search.config import PromoteConfig
from search.driver import Driver
from search.folds_plan import RACE_FOLDS, FoldsPlan
from search.gate import pass_gate
from search.job import Prepared, assemble, job_name
from search.pictures import open_pictures
from search.promotion_results import close_promotion
from search.resume import find_job, recorded_options
from search.select import Candidate
from search.space import flatten
from search.user_code import load_function
from spaces.errors import InputError
from spaces.trial_config import TrialConfig, parse_size
from trainables.folds import Folds
from trainables.store import store_side

VARIANTS = 6
"""Most variants of a trial, in a second stage."""


def run(config: PromoteConfig) -> int:
    """Promotes; returns the exit code."""
    from search.session import run_job, same_place  # imports Ray, which --help can do without

    going_on = find_job(config, "promotion") if config.resume else None
    standing = open_standing(
        CompetitionConfig(
            competition=config.competition,
            runs=config.runs,
            tracking=config.tracking,
            metric=config.metric,
        ),
        like=going_on,
    )
    folds = Folds.read(standing.search.folds_file)
    if config.folds > folds.count:
        raise InputError(
            f"folds={config.folds}: the search's split has {folds.count}; holdout.folds= of the "
            "search sets them"
        )
    if config.race and config.folds in range(1, max(RACE_FOLDS) + 1):
        raise InputError(f"race={config.race} needs at least {max(RACE_FOLDS) + 1} folds")
    rows = tuple(range(config.folds or folds.count))
    asked = going_on.opened["promotion"] if going_on else _ask(config, standing, len(rows))
    arms = {name: TrialConfig.from_json(arm) for name, arm in asked["arms"].items()}
    race = tuple(asked["race"])

    def make_plan(prepared: Prepared, driver: Driver) -> Any:
        side = prepared.baseline.store_side
        plan = FoldsPlan(
            search=driver.search,
            arms={name: arm.replace(store_side=side) for name, arm in arms.items()},
            folds=rows,
            seeds=config.seeds,
            race=race,
            survivors=lambda: _left(driver.search, prepared, race),
        )
        return plan, lambda trial: None

    return run_job(
        config,
        kind="promotion",
        prepare=lambda say: _prepare(config, standing, folds, arms, say),
        make_plan=make_plan,
        opening=lambda prepared, say: {"promotion": asked},
        close=lambda search, prepared: {"winner": None, **close_promotion(search, prepared)},
        next_commands=lambda search: _next(search, same_place(config)),
    )


def _ask(config: PromoteConfig, standing: Standing, folds: int) -> dict[str, Any]:
    """Passes the gate; what is to be trained, as the record keeps it.

    Raises:
        InputError: If the gate does not let it through, or the changes make no sense.
    """
    passage = pass_gate(config, standing)
    print("\n".join(passage.words), flush=True)
    arms, parents = promoted_arms(config, passage.chosen)
    race = SECOND_STAGE if len(arms) > len(passage.chosen) else RACE_FOLDS if config.race else ()
    scores = {c.id: c.score for c in passage.chosen}
    return {
        "arms": {name: arm.to_json() for name, arm in arms.items()},
        "parents": parents,
        "scores": {arm: scores[parent] for arm, parent in parents.items()},
        "changes": flatten(config.promote),
        "optimism": passage.optimism,
        "folds": folds,
        "seeds": config.seeds,
        "race": list(race),
        "verdict": passage.verdict,
        "force": passage.force,
    }


def _next(search: Search, here: str) -> list[str]:
    """What to type after a promotion."""
    if (search.summary or {}).get("arms"):
        submit = f"python -m search.submit select=promotion:{search.id}{here}"
        return [f"python -m search.show {search.id}{here}", submit]
    return [f"python -m search.show {search.id}{here}"]


def promoted_arms(
    config: PromoteConfig, chosen: Sequence[Candidate]
) -> tuple[dict[str, TrialConfig], dict[str, str]]:
    """Promoted configurations by name, and the trial that each comes from.

    A list in ``promote.`` makes a variant of the trial for every choice.

    Raises:
        InputError: If there are too many variants, or several trials to make them of.
    """
    changes = flatten(config.promote)
    lists = {
        name: v for name, v in changes.items() if isinstance(v, list) and not _is_size(name, v)
    }
    if not lists:
        arms = {c.id: _promoted(config, c, changes) for c in chosen}
        return arms, {name: name for name in arms}
    shown = ", ".join(f"promote.{name}" for name in lists)
    variants = [
        dict(zip(lists, picked, strict=True)) for picked in itertools.product(*lists.values())
    ]
    if len(chosen) > 1:
        raise InputError(f"{shown}: variants are made of one trial, not of {len(chosen)}; no race=")
    if not 2 <= len(variants) <= VARIANTS:
        raise InputError(f"{shown}: {len(variants)} variants; 2 to {VARIANTS} can be tried")
    (candidate,) = chosen
    arms = {}
    for variant in variants:
        words = "_".join(re.sub(r"[^A-Za-z0-9_.-]", "_", str(v)) for v in variant.values())
        arms[f"{candidate.id}.{words}"] = _promoted(config, candidate, {**changes, **variant})
    return arms, dict.fromkeys(arms, candidate.id)


def _is_size(name: str, value: list[Any]) -> bool:
    """Whether a list is one size, height and width, instead of choices."""
    return name == "size" and len(value) == 2 and all(isinstance(v, int) for v in value)


def _promoted(
    config: PromoteConfig, candidate: Candidate, changes: Mapping[str, Any]
) -> TrialConfig:
    """The configuration of a trial with what the command line changes of it."""
    assert candidate.trial is not None
    found = candidate.trial.config
    own = {"model": found.model, "loss": found.loss if ":" in found.loss else ""}
    for key, value in own.items():
        if value != getattr(config, key):
            raise InputError(
                f"{candidate.id} was trained with {key}={value or chr(39) * 2}: say so on the "
                "command line, since nothing is imported because a file says so"
            )
    if config.epochs:
        found = found.replace(
            epochs=config.epochs, warmup_epochs=min(found.warmup_epochs, config.epochs - 1)
        )
    if "size" in changes and max(parse_size(changes["size"])) > found.store_side:
        found = found.replace(store_side=0)  # images are stored anew, larger
    return found.with_params(changes)


def _prepare(
    config: PromoteConfig,
    standing: Standing,
    folds: Folds,
    arms: dict[str, TrialConfig],
    say: Callable[[str], None],
) -> Prepared:
    from trainables.model import build_model, check_backbone

    for key in ("model", "loss"):
        if getattr(config, key):
            load_function(getattr(config, key), key)
    first = next(iter(arms.values()))
    for arm in arms.values():
        if not arm.model:
            check_backbone(arm.backbone)
            if arm.pretrained or arm.weights:  # fetched once here, not by every worker
                build_model(arm, len(standing.classes))
    name = config.resume or job_name(config, standing.folder, "promotion")
    largest = max(max(arm.size) for arm in arms.values())
    side = config.store.side or max(a.store_side or store_side(max(a.size)) for a in arms.values())
    if side < largest:
        raise InputError(f"store.side={side} is below the largest training size {largest}")
    contest, store = open_pictures(standing, side, say, config.store.folder)
    reference = config.metric if ":" in config.metric else standing.metric.name
    return assemble(
        config,
        contest=contest,
        folds=folds,
        store=store,
        name=name,
        metric=standing.metric,
        metric_reference=reference,
        model=config.model,
        loss=config.loss,
        predict_test=bool(contest.test_images),
        baseline=first.replace(store_side=side),
    )


def _left(search: Search, prepared: Prepared, race: tuple[int, ...]) -> list[str]:
    """Who is left after the race, from the predictions of its folds."""
    found = {}
    labels, groups = None, None
    for arm in search.opened["promotion"]["arms"]:
        done = {t.config.fold for t in search.of("fold") if t.arm == arm and t.state == "finished"}
        if not done >= set(race):
            continue
        oof, _ = collect(search, arm)
        rows = np.isin(oof.folds, race)
        found[arm] = oof.predictions.probabilities[rows]
        labels, groups = oof.labels[rows], None if oof.groups is None else oof.groups[rows]
    if labels is None:
        return []
    most = 1 if race == SECOND_STAGE else 2
    return contenders_left(prepared.metric, labels, found, groups, most)


if __name__ == "__main__":
    main(PromoteConfig, run, __doc__ or "", recorded=recorded_options("promotion"))
