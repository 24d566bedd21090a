"""The Optuna sampler behind a search: asked for parameters, told what came of them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import optuna

from results.metrics import Direction
from results.records.opening import Past
from results.records.trial import Trial
from search.planning.network_costs import NetworkCosts
from search.planning.spread import spread_draw, started_draw
from spaces.space import SearchSpace

optuna.logging.set_verbosity(optuna.logging.ERROR)

REFUSED = 20
"""Draws of the model that limits refuse before one is drawn at random."""


class Proposer(Protocol):
    """What chooses the parameters of sampled trials."""

    def ask(self, trial_id: str) -> dict[str, Any]:
        """Parameters of a trial that is to start."""

    def tell(self, trial: Trial) -> None:
        """Hears of a trial that has ended."""


class Sampler:
    """TPE over a space with conditions and several trials at a time.

    Multivariate TPE in groups suits conditional parameters; the constant liar keeps parallel
    trials apart (Bergstra et al., 2011; Falkner et al., 2018; Optuna's documentation).

    Args:
        space: What to draw.
        key: Name of the score in the reports of the trials that it is told about.
        direction: Which way the metric is better.
        seed: Of the draws.
        startup: Random trials before the model takes over.
        history: Trials of this search that there are already.
        past: Trainings of earlier searches.
        costs: Of networks: the second objective, if there is one, and what no draw may exceed.

    Attributes:
        study: Optuna's own record.
    """

    def __init__(
        self,
        space: SearchSpace,
        key: str,
        direction: Direction,
        seed: int,
        startup: int,
        history: Sequence[Trial] = (),
        past: Sequence[Past] = (),
        costs: NetworkCosts | None = None,
    ) -> None:
        self._space, self._key, self._seed, self._startup = space, key, seed, startup
        self._costs = costs
        known = [t for t in history if t.why == "sampled"]
        if known:  # the draws so far are not drawn once more
            seed = int(np.random.SeedSequence([seed, len(known)]).generate_state(1)[0])
        with warnings.catch_warnings():  # group is marked experimental, and has been since 2.8
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                multivariate=True,
                group=True,
                constant_liar=True,
                n_startup_trials=startup,
                seed=seed,
            )
        self._alone = costs is None or costs.second is None
        directions = [direction] if self._alone else [direction, "minimize"]
        self.study = optuna.create_study(directions=directions, sampler=sampler)
        self._live: dict[str, optuna.Trial] = {}
        self._asked, self._told = len(known), 0
        for earlier in past:
            self._learn(earlier)
        for trial in known:
            self._replay(trial)

    def ask(self, trial_id: str) -> dict[str, Any]:
        """Draws the parameters of a trial: first what is usual, then away from those before."""
        start = dict(enumerate(self._space.starts)).get(self._asked)
        self._asked += 1
        for refused in range(REFUSED + 1):
            if start is not None and refused == 0:
                seed = [self._seed, self._asked]
                self.study.enqueue_trial(started_draw(self._space, start, seed))
            elif self._told < self._startup or refused == REFUSED:
                before = [t.params for t in self.study.get_trials(deepcopy=False)]
                seed = [self._seed, len(before)]
                self.study.enqueue_trial(spread_draw(self._space, before, seed, self._allows))
            live = self.study.ask()
            params = self._space.suggest(live)
            if self._allows(params):
                break
            self.study.tell(live, state=optuna.trial.TrialState.FAIL)
        self._live[trial_id] = live
        return params

    def _allows(self, params: Mapping[str, Any]) -> bool:
        return self._costs is None or self._costs.allow(params)

    def _weighed(self, params: Mapping[str, Any]) -> tuple[float, ...]:
        return () if self._costs is None else self._costs.weighed(params)

    def _learn(self, past: Past) -> None:
        """Enters a training of an earlier search."""
        states = optuna.trial.TrialState
        complete = past.finished or not self._alone
        steps = dict(enumerate(past.scores, start=1)) if self._alone else {}
        values = [past.scores[-1], *self._weighed(past.params)] if complete else None
        self._told += 1
        self.study.add_trial(
            optuna.trial.create_trial(
                params=dict(past.params),
                distributions={name: self._space[name].distribution for name in past.params},
                intermediate_values=steps,
                state=states.COMPLETE if complete else states.PRUNED,
                values=values,
            )
        )

    def _replay(self, trial: Trial) -> None:
        """Enters a trial of the record; one that is not at its end is told of later."""
        self.study.enqueue_trial(dict(trial.params))
        live = self._live[trial.id] = self.study.ask()
        self._space.suggest(live)
        if trial.state not in ("running", "interrupted"):
            self.tell(trial)

    def tell(self, trial: Trial) -> None:
        """Learns from a trial that has ended; early-stopped ones count as pruned.

        Trials that this sampler did not propose are none of its business. Optuna prunes nothing
        with two objectives: there an early-stopped trial, which was behind at no lower cost, has
        the score that it had.
        """
        if trial.state == "interrupted":  # it goes on
            return
        live = self._live.pop(trial.id, None)
        if live is None:
            return
        for report in trial.epochs if self._alone else ():
            live.report(report.metrics[self._key], report.epoch)
        score = trial.reported(self._key)
        states = optuna.trial.TrialState
        ended = trial.state == "finished" or (trial.state == "stopped" and not self._alone)
        if ended and score is not None:
            self.study.tell(live, [score, *self._weighed(trial.params)])
        elif trial.state == "stopped":
            self.study.tell(live, state=states.PRUNED)
        else:
            self.study.tell(live, state=states.FAIL)
            return
        self._told += 1
