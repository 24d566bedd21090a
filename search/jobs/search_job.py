"""A search as a job: the baseline, sampled trials with early stopping, the confirmation."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from results.records.opening import Opened
from results.records.trial import Trial
from results.records.trials import Search
from results.reporting.summary import front_of, unsettled
from search.execution.driver import Driver
from search.execution.say import Say
from search.jobs.baseline import base_config
from search.jobs.contest_data import task_of_data
from search.jobs.job import Prepared
from search.jobs.kind import JobKind
from search.jobs.preparation import prepare
from search.options.modes import INFERENCE, POPULATION
from search.options.parameters import flatten
from search.options.same_place import same_place
from search.options.scheduler import ASHA, NONE, PACE, SCREEN
from search.options.shared import demand
from search.options.training import RunConfig
from search.planning.density_matching import (
    DensityMatching,
    check_scorable,
    draw_candidates,
    matchers,
)
from search.planning.network_costs import NetworkCosts
from search.planning.planned import Plan
from search.planning.population import Population, check_schedules
from search.planning.sampler import Proposer, Sampler
from search.planning.search_plan import SearchPlan
from search.planning.warm_start import read_history
from search.planning.what_mattered import what_mattered
from spaces.augmentation.candidates import Candidates
from spaces.files import whole_file
from spaces.space import SearchSpace

if TYPE_CHECKING:
    from search.planning.early_stopping import EarlyStopping

STARTUP_SHARE = 4
"""One in so many trials is drawn at random before the model takes over; at least five are."""

GRACE_SHARES = {PACE: 9, ASHA: 4, SCREEN: 9, NONE: 1}
"""One in so many epochs of a training is run before early stopping, by its rule; scores of the very
first say little, above all where batch normalisation has not settled."""

FEWEST = 2
"""Epochs that are run in any case."""

PACE_SHARE = 4
"""One in so many trials runs to its end whatever its pace: what starts slowly may be best."""


class SearchJob(JobKind):
    """Searches a space on the hold-out and confirms the winner.

    Args:
        config: The command's options.
        space: What is searched, pinned and narrowed.
    """

    name = "search"

    def __init__(self, config: RunConfig, space: SearchSpace) -> None:
        self._config, self._space = config, space
        self._fix = flatten(config.fix)
        self._proposer: Proposer | None = None
        self._candidates: Candidates | None = None
        # The few schedules that a population found are compared at their ends.
        self._stopped_by = NONE if config.mode == POPULATION else config.scheduler.rule
        shares = {PACE: PACE_SHARE, SCREEN: config.scheduler.reduction}
        share = shares.get(self._stopped_by, config.trials)
        self.finishing = math.ceil(config.trials / share)

    def prepare(self, say: Say) -> Prepared:
        """Checks data, folds, networks and options."""
        inference = self._config.mode == INFERENCE
        run = base_config(self._config, self._space).run
        grace = self._config.scheduler.grace
        demand(grace <= run.epochs, "scheduler.grace", grace, f"at most epochs={run.epochs}")
        if inference:
            check_scorable(self._space, task_of_data(self._config.data).name)
        if self._config.mode == POPULATION:
            intervals = check_schedules(self._space, self._fix, run)
            say(self._population_words(intervals, run.epochs))
        prepared = prepare(self._config, self._space.name.replace("+", "-"), self._space, say)
        return self._with_candidates(prepared) if inference else prepared

    def _population_words(self, intervals: int, epochs: int) -> str:
        members, every = self._config.population.members, epochs // intervals
        return (
            f"a population of {members}: {intervals} intervals of {every} "
            f"{'epochs' if every > 1 else 'epoch'}, as many epochs as {members} trainings; "
            f"checkpoints of two intervals, up to {2 * members}, are on the disk meanwhile"
        )

    def _with_candidates(self, prepared: Prepared) -> Prepared:
        """The same with policies to score, written beside the folds."""
        wanted, seed = self._config.inference.policies, self._config.seed
        self._candidates = draw_candidates(self._space, prepared.baseline, self._fix, wanted, seed)
        path = self._candidates.write(Path(prepared.job.folder).parent)
        job = dataclasses.replace(prepared.job, candidates=str(path))
        return dataclasses.replace(prepared, job=job)

    def opening(self, prepared: Prepared, say: Say) -> Opened:
        """How much is to be trained, and what earlier searches tell the sampler."""
        from results.tracking.uri import default_uri

        config, runs = self._config, Path(self._config.runs)
        uri = config.tracking or default_uri(runs)
        past, words = read_history(config.history, runs, uri, prepared, self._space, self._fix)
        for line in words:
            say(line)
        asked = {
            "trials": config.trials,
            "confirm": config.confirm,
            "objective": config.compared.name,
            "second": config.second,
            "history": tuple(past),
        }
        return prepared.opening.model_copy(update=asked)

    def scheduler(self, prepared: Prepared, opened: Opened, search: Search) -> EarlyStopping:
        """Early stopping of sampled trials."""
        from search.planning.patience import Patience

        rule = self._rule(prepared, opened, search)
        patience = self._config.scheduler.patience
        return Patience(rule, patience) if patience else rule

    def _rule(self, prepared: Prepared, opened: Opened, search: Search) -> EarlyStopping:
        from search.planning.asha import Asha
        from search.planning.asha_by_cost import AshaByCost
        from search.planning.early_stopping import EarlyStopping
        from search.planning.pace import Pace
        from search.planning.screen import Screen

        asked = self._config.scheduler
        epochs, grace = prepared.baseline.run.epochs, self._grace(prepared)
        if self._stopped_by == ASHA and opened.second is not None:
            return AshaByCost(
                epochs=epochs,
                grace=grace,
                reduction=asked.reduction,
                cost=lambda trial_id: search.cost(search.trials[trial_id]) or 0.0,
            )
        if self._stopped_by == ASHA:
            return Asha(epochs=epochs, grace=grace, reduction=asked.reduction)
        if self._stopped_by == SCREEN:
            return Screen(epochs=epochs, grace=grace)
        if self._stopped_by == NONE:
            return EarlyStopping(epochs=epochs, grace=grace)
        sign = prepared.metric.sign
        earlier = [tuple(sign * score for score in past.scores) for past in opened.history]
        return Pace(epochs=epochs, grace=grace, earlier=earlier)

    def _grace(self, prepared: Prepared) -> int:
        """Epochs that every trial may run."""
        asked, epochs = self._config.scheduler.grace, prepared.baseline.run.epochs
        usual = max(FEWEST, math.ceil(epochs / GRACE_SHARES[self._stopped_by]))
        return min(epochs, asked or usual)

    def plan(self, prepared: Prepared, driver: Driver) -> Plan:
        """Baseline, samples, confirmation; what proposes trials knows what the record tells."""
        config, metric = self._config, prepared.metric
        groundwork: DensityMatching | Population | None = None
        if self._candidates is not None:
            trained = matchers(prepared.baseline, self._candidates, config.inference.models)
            groundwork = DensityMatching(driver.search, self._candidates, trained)
        elif config.mode == POPULATION:
            groundwork = Population(
                driver.search,
                self._space,
                prepared.baseline,
                self._fix,
                config.population.members,
                config.seed,
            )
        if groundwork is not None:
            self._proposer = groundwork
        else:
            self._proposer = Sampler(
                self._space,
                driver.search.key,
                metric.direction,
                config.seed,
                max(5, config.trials // STARTUP_SHARE),
                list(driver.search.trials.values()),
                driver.search.opened.history,
                NetworkCosts(
                    baseline=prepared.baseline,
                    fix=self._fix,
                    networks=driver.search.opened.costs,
                    limit=config.limit,
                    second=config.second,
                ),
            )
        return SearchPlan(
            search=driver.search,
            sampler=self._proposer,
            baseline=prepared.baseline,
            fix=self._fix,
            trials=config.trials,
            confirm=config.confirm,
            unsettled=lambda: unsettled(driver.search, metric),
            finishing=self.finishing,
            groundwork=groundwork,
        )

    def ended(self, trial: Trial) -> None:
        """The sampler learns from it."""
        assert self._proposer is not None
        self._proposer.tell(trial)

    def close(self, search: Search, prepared: Prepared) -> dict[str, Any]:
        """What the trials tell of the space and of early stopping."""
        grace = self._grace(prepared)
        found = what_mattered(search, self._space, prepared.metric, grace)
        if found and self._stopped_by in (PACE, NONE):  # no rank after the grace decides
            found = found.model_copy(update={"grace": 0})
        chosen = self._proposer
        if isinstance(chosen, Population):
            from results.reporting.figures import population_lines

            members = population_lines(search.of("segment"), search.key, search.sign, search.metric)
            with whole_file(search.folder / "population.png") as temporary:
                members.savefig(temporary, format="png", dpi=120)
        front = front_of(search, prepared.metric)
        if front is not None:
            from results.reporting.front_figure import front_figure

            with whole_file(search.folder / "front.png") as temporary:
                front_figure(search, front).savefig(temporary, format="png", dpi=120)
        return {
            "mattered": found,
            "matching": chosen.found() if isinstance(chosen, DensityMatching) else None,
            "population": chosen.found() if isinstance(chosen, Population) else None,
            "front": front,
        }

    def next_commands(self, search: Search) -> list[str]:
        """Look at it, and submit the winner where it predicted test images."""
        config = self._config
        here, there = same_place(config), same_place(config, tracking=True)
        commands = [f"python -m search.show {search.id}{here}", f"python -m search.ui{there}"]
        if search.winner:
            if config.predict.test and search.opened.images.test:
                commands.append(f"python -m search.submit select=best{here}")
            if not config.confirm:
                commands.insert(0, "python -m search.run … confirm=3    # does the winner hold?")
        return commands
