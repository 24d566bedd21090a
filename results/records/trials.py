"""The trials of a job as its ledger tells them: one reducer for every reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from results.masks.truth import Truth
from results.metrics import Direction, sign_of
from results.records.closing import Closed, Headline
from results.records.events import (
    EVENTS,
    EpochDone,
    Report,
    Resumed,
    TrialEnded,
    TrialResumed,
    TrialStarted,
    Why,
)
from results.records.ledger import replay
from results.records.objective import OBJECTIVES, Objective
from results.records.opening import Opened, Promotion
from results.records.record import Event
from results.records.trial import Trial
from results.records.unlabelled_images import UnlabelledImages
from results.tasks.task import Task
from results.tasks.tasks import task_of
from spaces.errors import InputError


@dataclass(kw_only=True)
class Search:
    """A search, or a single training, reduced from its events.

    Attributes:
        folder: Where its ledger and its trials' files lie.
        opened: The opening event: configuration, digests, versions.
        trials: Trials by id, in the order in which they started.
        summary: The closing event, if it came to that.
        reports: Reports of all trials as (trial id, report), in the order in which they came.
        earlier: Seconds that starts before the last one took.
    """

    folder: Path
    opened: Opened = None  # type: ignore[assignment]  # until its first event
    trials: dict[str, Trial] = field(default_factory=dict)
    summary: Closed | None = None
    reports: list[tuple[str, Report]] = field(default_factory=list)
    earlier: float = 0.0
    _began: float = 0.0
    _last: float = 0.0

    @property
    def id(self) -> str:
        """Name of the search, unique within its competition."""
        return self.opened.search

    @property
    def task(self) -> Task:
        """What the targets are."""
        return task_of(self.opened.task)

    @cached_property
    def truth(self) -> Truth | None:
        """True masks of training images; None without masks.

        Raises:
            InputError: If their file is missing or damaged.
        """
        name = self.opened.data.truth
        return Truth.read(self.folder.parent / name) if name else None

    @property
    def metric(self) -> str:
        """Name of the contest's metric."""
        return self.opened.metric

    @property
    def objective(self) -> Objective:
        """What its trials are compared by."""
        return OBJECTIVES[self.opened.objective]

    def score(self, trial: Trial) -> float | None:
        """What a trial is compared by, after its last epoch; None if there is nothing."""
        return trial.reported(self.key)

    def cost(self, trial: Trial) -> float | None:
        """What is weighed against that, of a trial's networks; None with one objective."""
        second = self.opened.second
        found = self.opened.costs.get(trial.config.network) if second else None
        if found is None or second is None:
            return None
        return found.times(trial.config.members).of(second)

    @property
    def key(self) -> str:
        """Name of what trials are compared by, in reports of epochs."""
        return self.objective.key(self.metric)

    @property
    def direction(self) -> Direction:
        """Which way the metric is better."""
        return self.opened.direction

    @property
    def promotion(self) -> Promotion:
        """What a promotion trains."""
        assert self.opened.promotion is not None
        return self.opened.promotion

    @property
    def arms(self) -> Mapping[str, Headline]:
        """What the complete arms of a promotion are worth; empty before it has closed."""
        return self.summary.arms if self.summary else {}

    @property
    def winner(self) -> str | None:
        """Id of the winner; None if there is none, or none yet."""
        return self.summary.winner if self.summary else None

    @property
    def sign(self) -> float:
        """That of its metric's direction."""
        return sign_of(self.direction)

    def apply(self, event: Event) -> None:
        """Takes one more event in; kinds that are not known are left alone."""
        match event:
            case Opened():
                self.opened = event
            case Resumed():
                self.opened = self.opened.model_copy(
                    update={str(k): v for k, v in event.changes.items()}
                )
                self.summary = None
                self.earlier += self._last - self._began
            case TrialStarted():
                self.trials[event.trial] = Trial(
                    id=event.trial,
                    number=event.number,
                    why=event.why,
                    arm=event.arm,
                    params=event.params,
                    config=event.config,
                    started=event.at,
                    taken=event.taken,
                )
            case TrialResumed():
                before = self.trials[event.trial]
                self.trials[before.id] = replace(
                    before,
                    state="running",
                    reason="",
                    ended=None,
                    attempts=before.attempts + 1,
                    revived=before.revived or before.state == "stopped",
                )
            case EpochDone():
                trial = self.trials[event.trial]
                self.trials[trial.id] = replace(trial, epochs=(*trial.epochs, event.report))
                self.reports.append((trial.id, event.report))
            case TrialEnded():
                before = self.trials[event.trial]
                cut = event.micro_batch
                self.trials[before.id] = replace(
                    before,
                    state=event.state,
                    reason=event.reason,
                    ended=event.at,
                    faults=before.faults + ((event.fault,) if event.fault else ()),
                    config=before.config.replace(micro_batch=cut) if cut else before.config,
                )
            case Closed():
                self.summary = event
        if isinstance(event, Opened | Resumed):
            self._began = event.at
        self._last = event.at

    def best(self, trials: Iterable[Trial]) -> Trial | None:
        """The best of those that ran to the end; segments are no trainings of their own."""
        sign = self.sign
        scored = [
            (sign * s, -t.number, t)
            for t in trials
            if t.state == "finished" and t.why != "segment" and (s := self.score(t)) is not None
        ]
        return max(scored)[2] if scored else None

    @property
    def leading(self) -> Trial | None:
        """The best of those that compete: a confirmation is scored on other images."""
        return self.best(t for t in self.trials.values() if t.why != "confirm")

    def of(self, why: Why) -> list[Trial]:
        """The trials of one kind, in order."""
        return [t for t in self.trials.values() if t.why == why]

    def trainings(self, arm: str) -> list[Trial]:
        """A promoted trial's trainings that ran to their end, in order."""
        return [t for t in self.of("fold") if t.arm == arm and t.state == "finished"]

    @property
    def folds_file(self) -> Path:
        """The stored folds, beside the search, so that the runs folder can be moved."""
        return self.folder.parent / self.opened.folds.file

    @cached_property
    def tested(self) -> UnlabelledImages:
        """The test images, as the record keeps them beside the search; none where it has none.

        Raises:
            InputError: If their file is missing or damaged.
        """
        name = self.opened.data.test
        return UnlabelledImages.read(self.folder.parent / name) if name else UnlabelledImages()

    def trial_folder(self, trial: Trial) -> Path:
        """Where a trial's predictions and checkpoint lie; of one taken over, in its own job."""
        if trial.taken:
            return self.folder.parent / trial.taken.rpartition("-")[0] / "trials" / trial.taken
        return self.folder / "trials" / trial.id

    @staticmethod
    def read(folder: Path) -> Search:
        """Reads a search from its ledger.

        Raises:
            InputError: If there is none, or it is damaged.
        """
        path = folder / "ledger.jsonl"
        search = Search(folder=folder)
        replay(path, EVENTS, search.apply)
        if search.opened is None:
            raise InputError(f"{path} does not begin with an opening event")
        arms = search.opened.promotion.arms if search.opened.promotion else ()
        for name in (search.winner, search.summary.baseline if search.summary else None):
            if name is not None and name not in search.trials and name not in arms:
                raise InputError(f"{path}: {name!r} is the name of no trial")
        return search
