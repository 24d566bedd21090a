"""Our side of Ray Tune: where its loop asks what to run and tells what happened.

Tune pickles whatever it is given, to be restored by a mechanism that is not used here; these
classes pickle as nothing, because the ledger is what remembers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.search import Searcher

from search.execution.driver import Driver
from search.jobs.job import Job
from search.planning.planned import Plan, Planned


class _Forgotten:
    """Pickles as an empty object."""

    def __reduce__(self) -> tuple[type[object], tuple[()]]:
        return object, ()


class Proposals(_Forgotten, Searcher):  # type: ignore[misc]
    """Hands the plan's trials to Tune, as many at a time as there are slots."""

    def __init__(self, plan: Plan, driver: Driver, job: Job, tick: Callable[[], None]) -> None:
        super().__init__()
        self._plan, self._driver, self._tick = plan, driver, tick
        self._late: Planned | None = None
        self._job = asdict(job)

    def suggest(self, trial_id: str) -> Any:
        """A trial's configuration, None to wait, or the end."""
        self._driver.turn()  # Tune's loop turns no more while it waits for a first trial
        self._tick()
        planned = self._next()
        while planned is not None and not self._driver.begin(planned):
            planned = self._next()  # that one was done before
        if planned is not None:
            self._driver.commit()
            return {
                "trial": planned.id,
                "why": planned.why,
                "revived": planned.revived,
                "config": planned.config.to_json(),
                "job": self._job,
            }
        # What runs may lose its worker and has to be handed out again: Tune asks no more once it
        # was told that this is the end.
        over = self._plan.done and not self._running()
        return Searcher.FINISHED if over or self._driver.stopping else None

    def _next(self) -> Planned | None:
        """What to start now; None if there is nothing, or no slot."""
        driver = self._driver
        if driver.stopping or driver.paused or self._running() >= driver.slots:
            return None
        planned = self._late or self._plan.next()
        if planned is not None and not driver.in_time(planned):
            self._late = planned  # those that run may use the time that is left
            if not self._running():
                driver.stopping = "the deadline"
            return None
        self._late = None
        return planned

    def _running(self) -> int:
        return sum(t.state == "running" for t in self._driver.search.trials.values())

    def on_trial_complete(self, *_: Any, **__: Any) -> None:
        """The driver hears of it through `Events`, after the last result."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore."""


class Events(_Forgotten, tune.Callback):  # type: ignore[misc]
    """Passes Tune's events on to the driver."""

    def __init__(self, driver: Driver, tick: Callable[[], None]) -> None:
        self._driver, self._tick = driver, tick

    def on_trial_result(self, *, trial: Any, result: dict[str, Any], **_: Any) -> None:
        self._driver.report(trial.config["trial"], result)

    def on_trial_complete(self, *, trial: Any, **_: Any) -> None:
        self._driver.complete(trial.config["trial"])

    def on_trial_error(self, *, trial: Any, **_: Any) -> None:
        file = trial.error_file
        text = Path(file).read_text() if file and Path(file).is_file() else "no reason given"
        self._driver.lost(trial.config["trial"], text.strip())

    def on_step_end(self, **_: Any) -> None:
        self._driver.turn()
        self._tick()


class Stop(_Forgotten, tune.Stopper):  # type: ignore[misc]
    """Ends the run when the driver is stopping."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return bool(self._driver.stopping)
