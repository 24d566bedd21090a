"""python -m search.run — search a space on the hold-out and confirm the winner.

Runs the untuned baseline and sampled trials with early stopping, then compares the best one with
matched controls on fresh seeds and on images that did not choose it.

  python -m search.run space=aug_policy
  python -m search.run 'space=[aug_policy,schedule]' trials=32 fix.backbone=resnet18
  python -m search.run resume=latest trials=32     after a kill, a reboot or a deadline
  python -m search.run data=csv data.root=my_contest fix.size=64 resources.gpu=0.5
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from results.trials import Search
from search.cli import main
from search.config import RunConfig
from search.driver import Driver
from search.history import Past, read_history
from search.job import Prepared
from search.plan import SearchPlan
from search.preparation import prepare
from search.resume import recorded_options
from search.sampler import Sampler
from search.space import flatten, resolve_space

STARTUP_SHARE = 4
"""One in so many trials is drawn at random before the model takes over; at least five are."""

GRACE_SHARE = 4
"""One in so many epochs of a training is run before early stopping; scores of the very first say
little, above all where batch normalisation has not settled."""


def run(config: RunConfig) -> int:
    """Runs a search; returns the exit code."""
    from results.tracking import default_uri
    from search.session import run_job  # imports Ray, which --help can do without

    space = resolve_space(config.space, flatten(config.fix), flatten(config.narrow))

    def make_plan(prepared: Prepared, driver: Driver) -> Any:
        startup = max(5, config.trials // STARTUP_SHARE)
        metric = prepared.metric
        history = list(driver.search.trials.values())
        past = [Past.from_json(p) for p in driver.search.opened.get("history", ())]
        sampler = Sampler(space, metric.name, metric.direction, config.seed, startup, history, past)
        plan = SearchPlan(
            search=driver.search,
            sampler=sampler,
            baseline=prepared.baseline,
            fix=flatten(config.fix),
            trials=config.trials,
            confirm=config.confirm,
        )
        return plan, sampler.tell

    def opening(prepared: Prepared, say: Callable[[str], None]) -> dict[str, Any]:
        uri = config.tracking or default_uri(Path(config.runs))
        past, words = read_history(
            config.history, Path(config.runs), uri, prepared, space, flatten(config.fix)
        )
        for line in words:
            say(line)
        return {
            "trials": config.trials,
            "confirm": config.confirm,
            "history": [p.to_json() for p in past],
        }

    def make_scheduler(prepared: Prepared) -> Any:
        from search.asha import Asha

        epochs = prepared.baseline.epochs
        return Asha(
            epochs=epochs,
            grace=config.scheduler.grace or math.ceil(epochs / GRACE_SHARE),
            reduction=config.scheduler.reduction,
        )

    return run_job(
        config,
        kind="search",
        prepare=lambda say: prepare(config, space.name.replace("+", "-"), space, say),
        make_plan=make_plan,
        make_scheduler=make_scheduler,
        opening=opening,
        next_commands=lambda search: next_commands(config, search),
    )


def next_commands(config: RunConfig, search: Search) -> list[str]:
    """What to type after a search."""
    from search.session import same_place

    here, there = same_place(config), same_place(config, tracking=True)
    commands = [f"python -m search.show {search.id}{here}", f"python -m search.ui{there}"]
    if search.summary and search.summary["winner"]:
        commands.append(f"python -m search.submit select=best{here}")
        if not config.confirm:
            commands.insert(0, "python -m search.run … confirm=3    # does the winner hold?")
    return commands


if __name__ == "__main__":
    main(RunConfig, run, __doc__ or "", recorded=recorded_options("search"))
