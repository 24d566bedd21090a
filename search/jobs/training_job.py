"""A single training as a job."""

from __future__ import annotations

from results.records.trials import Search
from search.execution.driver import Driver
from search.execution.say import Say
from search.jobs.job import Prepared
from search.jobs.kind import JobKind
from search.jobs.preparation import prepare
from search.options.same_place import same_contest, same_place
from search.options.training import TrainConfig
from search.planning.planned import Plan
from search.planning.search_plan import SinglePlan


class TrainingJob(JobKind):
    """Trains one configuration on one fold.

    Args:
        config: The command's options.
    """

    name = "train"

    def __init__(self, config: TrainConfig) -> None:
        self._config = config

    def prepare(self, say: Say) -> Prepared:
        """Checks data, folds, network and options."""
        return prepare(self._config, "train", say=say)

    def plan(self, prepared: Prepared, driver: Driver) -> Plan:
        """The one training."""
        return SinglePlan(search=driver.search, config=prepared.baseline)

    def next_commands(self, search: Search) -> list[str]:
        """Look at it, submit it where it predicted test images, or search."""
        here = same_place(self._config)
        commands = [f"python -m search.show {search.id}{here}"]
        if self._config.predict.test and search.opened.images.test:
            commands.append(f"python -m search.submit select={search.id}-000{here}")
        commands.append(f"python -m search.run space=aug_policy{same_contest(self._config)}{here}")
        return commands
