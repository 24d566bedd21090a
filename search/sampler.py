"""The Optuna sampler behind a search: asked for parameters, told what came of them."""

from __future__ import annotations

import warnings
from typing import Any

import optuna

from results.metrics import Direction
from results.trials import Trial
from spaces.space import SearchSpace

optuna.logging.set_verbosity(optuna.logging.ERROR)


class Sampler:
    """TPE over a space with conditions and several trials at a time.

    Multivariate TPE in groups suits conditional parameters; the constant liar keeps parallel
    trials apart (Bergstra et al., 2011; Falkner et al., 2018; Optuna's documentation).

    Args:
        space: What to draw.
        metric: Metric of the trials that it is told about.
        direction: Which way the metric is better.
        seed: Of the draws.
        startup: Random trials before the model takes over.
    """

    def __init__(
        self, space: SearchSpace, metric: str, direction: Direction, seed: int, startup: int
    ) -> None:
        self._space, self._metric = space, metric
        with warnings.catch_warnings():  # group is marked experimental, and has been since 2.8
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                multivariate=True,
                group=True,
                constant_liar=True,
                n_startup_trials=startup,
                seed=seed,
            )
        self._study = optuna.create_study(direction=direction, sampler=sampler)
        self._live: dict[str, optuna.Trial] = {}

    def ask(self, trial_id: str) -> dict[str, Any]:
        """Draws the parameters of a trial."""
        live = self._live[trial_id] = self._study.ask()
        return self._space.suggest(live)

    def tell(self, trial: Trial) -> None:
        """Learns from a trial that has ended; early-stopped ones count as pruned.

        Trials that this sampler did not propose are none of its business.
        """
        live = self._live.pop(trial.id, None)
        if live is None:
            return
        for report in trial.epochs:
            live.report(float(report["metrics"][f"val/{self._metric}"]), int(report["epoch"]))
        score = trial.score(self._metric)
        states = optuna.trial.TrialState
        if trial.state == "finished" and score is not None:
            self._study.tell(live, score)
        elif trial.state == "stopped":
            self._study.tell(live, state=states.PRUNED)
        else:
            self._study.tell(live, state=states.FAIL)
