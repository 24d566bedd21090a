"""What makes one kind of job: a search, a single training, or a promotion."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from results.records.opening import Opened
from results.records.trial import Trial
from results.records.trials import Search
from search.execution.driver import Driver
from search.execution.say import Say
from search.jobs.job import Prepared
from search.planning.planned import Plan


class JobKind(ABC):
    """A kind of job; `search.jobs.lifecycle.run_job` calls the methods in the order given here.

    Attributes:
        name: The kind in records: ``search``, ``train`` or ``promotion``.
        finishing: Sampled trials that run to their end, at least.
    """

    name: ClassVar[str]
    finishing = 1

    @abstractmethod
    def prepare(self, say: Say) -> Prepared:
        """Reads and checks everything before anything of the job is written.

        Raises:
            InputError: For anything wrong with options or data.
        """

    def opening(self, prepared: Prepared, say: Say) -> Opened:
        """The opening event, with what only this kind has to say."""
        return prepared.opening

    def scheduler(self, prepared: Prepared, opened: Opened, search: Search) -> Any:
        """Early stopping, by what the job was opened with; None runs every trial to its end.

        The record is to be looked at when there are trials: it may have no opening yet.
        """
        return None

    @abstractmethod
    def plan(self, prepared: Prepared, driver: Driver) -> Plan:
        """What to train; reads what happened from the driver's record."""

    def ended(self, trial: Trial) -> None:  # noqa: B027 (a hook that most kinds leave empty)
        """Hears of every trial that has ended, once there is a plan."""

    def close(self, search: Search, prepared: Prepared) -> dict[str, Any]:
        """Further fields of the closing event, once all trials have ended."""
        return {}

    @abstractmethod
    def next_commands(self, search: Search) -> list[str]:
        """What to type next."""
