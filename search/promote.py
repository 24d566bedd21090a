"""python -m search.promote — full K-fold training of what the search found, if it can be believed.

Passes the gate of trust, trains the folds (those that were trained before are taken over), and
writes out-of-fold and test predictions, the fold table and an honest headline.

  python -m search.promote                     the best, on all folds of the search
  python -m search.promote folds=2             two folds: cheap, and worth a submission
  python -m search.promote race=3              the top three run two folds first
  python -m search.promote select=a-003,b-001 seeds=2
  python -m search.promote promote.backbone=resnet18 promote.size=96 epochs=30
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from results.figures import confusion, contact_sheet
from results.promotion import (
    OutOfFold,
    average,
    class_scores,
    collect,
    contenders_left,
    headline,
    worst_images,
)
from results.trials import Search, Trial, searches
from search.board import Standing, open_standing
from search.cli import main
from search.config import CompetitionConfig, PromoteConfig
from search.driver import Driver
from search.folds_plan import RACE_FOLDS, FoldsPlan
from search.gate import pass_gate
from search.job import Prepared, assemble, job_name
from search.pictures import open_pictures
from search.select import Candidate, all_trials
from search.space import flatten
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from trainables.folds import Folds
from trainables.store import store_side

SHOWN = 32
"""Images on the contact sheet of the worst."""


def run(config: PromoteConfig) -> int:
    """Promotes; returns the exit code."""
    from search.session import run_job, same_place  # imports Ray, which --help can do without

    standing = open_standing(
        CompetitionConfig(
            competition=config.competition,
            runs=config.runs,
            tracking=config.tracking,
            metric=config.metric,
        )
    )
    folds = Folds.read(standing.search.folds_file)
    if config.folds > folds.count:
        raise InputError(
            f"folds={config.folds}: the search's split has {folds.count}; holdout.folds= of the "
            "search sets them"
        )
    if config.race and config.folds in range(1, max(RACE_FOLDS) + 1):
        raise InputError(f"race={config.race} needs at least {max(RACE_FOLDS) + 1} folds")
    passage = pass_gate(config, standing)
    print("\n".join(passage.words), flush=True)
    arms = {c.id: _promoted(config, c) for c in passage.chosen}
    rows = tuple(range(config.folds or folds.count))

    def make_plan(prepared: Prepared, driver: Driver) -> Any:
        side = prepared.baseline.store_side
        plan = FoldsPlan(
            search=driver.search,
            arms={name: arm.replace(store_side=side) for name, arm in arms.items()},
            folds=rows,
            seeds=config.seeds,
            race=bool(config.race),
            survivors=lambda: _survivors(driver.search, prepared, list(arms)),
        )
        _take_over(plan, driver, standing)
        return plan, lambda trial: None

    opening = {
        "promotion": {
            "arms": {name: arm.to_json() for name, arm in arms.items()},
            "scores": {c.id: c.score for c in passage.chosen},
            "folds": len(rows),
            "seeds": config.seeds,
            "race": config.race,
            "verdict": passage.verdict,
            "force": passage.force,
        }
    }
    return run_job(
        config,
        kind="promotion",
        prepare=lambda say: _prepare(config, standing, folds, arms, say),
        make_plan=make_plan,
        opening=opening,
        close=lambda search, prepared: {"winner": None, **_close(search, prepared)},
        next_commands=lambda search: _next(search, same_place(config)),
    )


def _next(search: Search, here: str) -> list[str]:
    """What to type after a promotion."""
    if (search.summary or {}).get("arms"):
        submit = f"python -m search.submit select=promotion:{search.id}{here}"
        return [f"python -m search.show {search.id}{here}", submit]
    return ["the same command, under another name=, takes the finished folds over and goes on"]


def _promoted(config: PromoteConfig, candidate: Candidate) -> TrialConfig:
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
    changes = flatten(config.promote)
    if config.epochs:
        found = found.replace(
            epochs=config.epochs, warmup_epochs=min(found.warmup_epochs, config.epochs - 1)
        )
    return found.with_params(changes)


def _prepare(
    config: PromoteConfig,
    standing: Standing,
    folds: Folds,
    arms: dict[str, TrialConfig],
    say: Callable[[str], None],
) -> Prepared:
    from trainables.model import build_model, check_backbone

    first = next(iter(arms.values()))
    for arm in arms.values():
        if not arm.model:
            check_backbone(arm.backbone)
            if arm.pretrained or arm.weights:  # fetched once here, not by every worker
                build_model(arm, len(standing.classes))
    name = job_name(config, standing.folder, "promotion")
    largest = max(max(arm.size) for arm in arms.values())
    side = config.store.side or max(store_side(largest), *(a.store_side for a in arms.values()))
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


def _take_over(plan: FoldsPlan, driver: Driver, standing: Standing) -> None:
    """Records trainings that other jobs have done already, so that none is done again."""
    opened = standing.search.opened
    done: dict[str, Trial] = {
        t.config.digest: t
        for t in all_trials(standing.folder, opened["data"]["digest"], opened["folds"]["digest"])
    }
    for arm, config in plan.wanted():
        known = done.get(config.digest)
        if known is not None:
            driver.take_over(f"{driver.search.id}-{plan.started:03d}", plan.started, known, arm)
            plan.started += 1


def _survivors(search: Search, prepared: Prepared, arms: list[str]) -> list[str]:
    """Who is left after the race, from the predictions of its folds."""
    found = {}
    labels, groups = None, None
    for arm in arms:
        done = {t.config.fold for t in search.of("fold") if t.arm == arm and t.state == "finished"}
        if not done >= set(RACE_FOLDS):
            continue
        oof, _ = collect(search, arm)
        rows = np.isin(oof.folds, RACE_FOLDS)
        found[arm] = oof.predictions.probabilities[rows]
        labels, groups = oof.labels[rows], None if oof.groups is None else oof.groups[rows]
    if labels is None:
        return []
    return contenders_left(prepared.metric, labels, found, groups)


def _close(search: Search, prepared: Prepared) -> dict[str, Any]:
    """Writes predictions and tables of every arm that has all of its folds."""
    wanted = int(search.opened["promotion"]["folds"]) * int(search.opened["promotion"]["seeds"])
    arms, tests = {}, []
    for arm in search.opened["promotion"]["arms"]:
        done = [t for t in search.of("fold") if t.arm == arm and t.state == "finished"]
        if len(done) < wanted:
            continue
        oof, test = collect(search, arm)
        oof.predictions.write(search.folder / f"oof-{arm}.npz")
        if test is not None:
            test.write(search.folder / f"test-{arm}.npz")
            tests.append(test)
        arms[arm] = _finite(asdict(headline(prepared.metric, oof)))
        table = pd.DataFrame([asdict(c) for c in class_scores(oof)])
        table.to_csv(search.folder / f"classes-{arm}.csv", index=False)
        _draw(search, arm, oof, prepared)
    if tests:
        average(tests).write(search.folder / "test.npz")
    gain = prepared.metric.gain
    best = max(arms, key=lambda a: gain(arms[a]["score"], 0.0), default=None)
    return {"winner": best, "arms": arms, "proxies": _proxies(search, arms)}


def _proxies(search: Search, arms: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Hold-out scores of all promoted trials against their out-of-fold scores without fold 0."""
    found = {}
    for folder in searches(search.folder.parent.parent):
        if folder.parent != search.folder.parent or folder == search.folder:
            continue
        other = Search.read(folder)
        if other.opened["kind"] != "promotion" or other.summary is None:
            continue
        if other.opened["folds"]["digest"] != search.opened["folds"]["digest"]:
            continue
        for arm, result in other.summary["arms"].items():
            found[arm] = (other.opened["promotion"]["scores"][arm], result["score"])
    for arm, result in arms.items():
        found[arm] = (search.opened["promotion"]["scores"][arm], result["score"])
    return [{"trial": a, "holdout": h, "full": f} for a, (h, f) in found.items()]


def _draw(search: Search, arm: str, oof: OutOfFold, prepared: Prepared) -> None:
    """Draws the confusion matrix and the images that were furthest from their class."""
    classes = oof.predictions.classes
    figure = confusion(oof.labels, oof.predictions.probabilities, classes)
    figure.savefig(search.folder / f"confusion-{arm}.png", dpi=100)
    rows = worst_images(oof, SHOWN)
    row_of = {image: i for i, image in enumerate(prepared.contest.train_images)}
    names = [oof.predictions.images[row] for row in rows]
    pictures = [prepared.store.pixels[row_of[name]] for name in names]
    told = oof.predictions.probabilities[rows].argmax(axis=1)
    captions = [
        f"{classes[oof.labels[row]]}\nas {classes[guess]}"
        for row, guess in zip(rows, told, strict=True)
    ]
    sheet = contact_sheet(pictures, captions)
    sheet.savefig(search.folder / f"worst-{arm}.png", dpi=100)


def _finite(value: Any) -> Any:
    """JSON has no NaN: an undefined score becomes None."""
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


if __name__ == "__main__":
    main(PromoteConfig, run, __doc__ or "")
