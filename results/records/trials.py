"""Trials and searches as the ledger tells them: one reducer for every reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from results.metrics import Direction
from results.records.events import check_shape
from results.records.ledger import Event, replay
from results.tasks.task import Task
from results.tasks.tasks import task_of
from spaces.errors import InputError
from spaces.names import check_name
from spaces.trial_config import TrialConfig

State = Literal["running", "finished", "stopped", "failed", "interrupted"]
Why = Literal["baseline", "sampled", "confirm", "single", "fold"]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """The record of one training; immutable, replaced when an event adds to it.

    Attributes:
        id: Global id, ``<search>-<number>``.
        number: Position in the search, from 0.
        why: ``baseline``, ``sampled``, ``confirm``, ``single`` (from ``search.train``) or ``fold``
            (of a promotion).
        arm: For confirmations, which side of the comparison it belongs to; for folds, the trial
            that is promoted.
        params: What the search drew; empty for controls.
        config: The complete configuration.
        epochs: Reports of the trainer, one per epoch.
        state: ``stopped`` means stopped early by the scheduler.
        reason: Why it failed or was interrupted.
        started: Seconds since the epoch.
        ended: Seconds since the epoch; None while it runs.
        taken: Id of the trial, of another job, that was this very training; empty if it was
            trained here.
        attempts: Times that it was started; later ones go on from its checkpoint.
        faults: What interrupted it, other than its driver: ``death`` of its worker, ``hang``,
            ``memory`` or ``device``.
        asked: The configuration that was planned; out of memory, it goes on with a smaller
            micro-batch.
    """

    id: str
    number: int
    why: Why
    arm: str
    params: Mapping[str, Any]
    config: TrialConfig
    started: float
    epochs: tuple[Mapping[str, Any], ...] = ()
    state: State = "running"
    reason: str = ""
    ended: float | None = None
    taken: str = ""
    attempts: int = 1
    faults: tuple[str, ...] = ()
    asked: TrialConfig = None  # type: ignore[assignment]  # the configuration, unless given

    def __post_init__(self) -> None:
        if self.asked is None:
            object.__setattr__(self, "asked", self.config)

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return int(self.epochs[-1]["epoch"]) if self.epochs else 0

    def score(self, metric: str) -> float | None:
        """The metric on the held-out fold after the last epoch; None if there is none."""
        if not self.epochs:
            return None
        value = self.epochs[-1]["metrics"].get(f"val/{metric}")
        return None if value is None else float(value)

    @property
    def seconds(self) -> float:
        """Time spent in training and evaluation, in seconds."""
        return sum(float(e["seconds"]["total"]) for e in self.epochs)


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
    opened: Event = field(default_factory=dict)
    trials: dict[str, Trial] = field(default_factory=dict)
    summary: Event | None = None
    reports: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    earlier: float = 0.0
    _began: float = 0.0
    _last: float = 0.0

    @property
    def id(self) -> str:
        """Name of the search, unique within its competition."""
        return str(self.opened["search"])

    @property
    def task(self) -> Task:
        """What the targets are."""
        return task_of(self.opened["task"])

    @property
    def metric(self) -> str:
        """Name of the contest's metric."""
        return str(self.opened["metric"])

    @property
    def direction(self) -> Direction:
        """Which way the metric is better."""
        return "minimize" if self.opened["direction"] == "minimize" else "maximize"

    @property
    def sign(self) -> float:
        """1 where a larger score is better, else -1."""
        return 1.0 if self.direction == "maximize" else -1.0

    def apply(self, event: Event) -> None:
        """Takes one more event in; kinds that are not known are left alone."""
        kind = event["event"]
        if kind == "opened":
            for key in ("search", "competition"):
                if key in event:
                    check_name(event[key], key)
            if "folds" in event:
                check_name(event["folds"]["file"], "folds.file")
            if event.get("data", {}).get("test"):
                check_name(event["data"]["test"], "data.test")
            self.opened = event
        elif kind == "resumed":
            self.opened = {**self.opened, **event["changes"]}
            self.summary = None
            self.earlier += self._last - self._began
        elif kind == "trial_resumed":
            before = self.trials[event["trial"]]
            self.trials[before.id] = replace(
                before, state="running", reason="", ended=None, attempts=before.attempts + 1
            )
        elif kind == "trial_started":
            check_name(event["trial"], "trial")
            if event.get("taken"):
                check_name(event["taken"], "taken")
            self.trials[event["trial"]] = Trial(
                id=event["trial"],
                number=event["number"],
                why=event["why"],
                arm=event["arm"],
                params=event["params"],
                config=TrialConfig.from_json(event["config"]),
                started=event["at"],
                taken=event.get("taken", ""),
            )
        elif kind == "epoch":
            check_report(event["report"])
            trial = self.trials[event["trial"]]
            self.trials[trial.id] = replace(trial, epochs=(*trial.epochs, event["report"]))
            self.reports.append((trial.id, event["report"]))
        elif kind == "trial_ended":
            before = self.trials[event["trial"]]
            fault = (event["fault"],) if "fault" in event else ()
            cut = {"micro_batch": event["micro_batch"]} if "micro_batch" in event else {}
            self.trials[before.id] = replace(
                before,
                state=event["state"],
                reason=event["reason"],
                ended=event["at"],
                faults=before.faults + fault,
                config=before.config.replace(**cut) if cut else before.config,
            )
        elif kind == "closed":
            self.summary = event
        at = float(event.get("at", 0.0))
        if kind in ("opened", "resumed"):
            self._began = at
        self._last = at

    def best(self, trials: Iterable[Trial]) -> Trial | None:
        """The best of those that ran to the end."""
        sign = self.sign
        scored = [
            (sign * s, -t.number, t)
            for t in trials
            if t.state == "finished" and (s := t.score(self.metric)) is not None
        ]
        return max(scored)[2] if scored else None

    def of(self, why: Why) -> list[Trial]:
        """The trials of one kind, in order."""
        return [t for t in self.trials.values() if t.why == why]

    @property
    def folds_file(self) -> Path:
        """The stored folds, beside the search, so that the runs folder can be moved."""
        return self.folder.parent / str(self.opened["folds"]["file"])

    @property
    def test_file(self) -> Path | None:
        """The stored names of the test images; None if the record has none."""
        name = self.opened["data"].get("test", "")
        return self.folder.parent / str(name) if name else None

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

        def apply(event: Event) -> None:
            check_shape(event)
            search.apply(event)

        replay(path, apply)
        if not search.opened:
            raise InputError(f"{path} does not begin with an opening event")
        asked = search.opened.get("promotion", {"arms": {}, "scores": {}})
        summary = search.summary or {"winner": None, "baseline": None}
        known = {*search.trials, None, *asked["arms"]}
        strangers = [n for n in (summary["winner"], summary["baseline"]) if n not in known]
        strangers += sorted(set(asked["arms"]) ^ set(asked["scores"]))
        if strangers:
            raise InputError(f"{path}: {strangers[0]!r} is the name of no trial")
        return search


def check_report(report: Mapping[str, Any]) -> None:
    """Raises ValueError, or what its parts raise, unless a report has what readers need."""
    numbers = [*report["metrics"].values(), *report["seconds"].values(), report["seconds"]["total"]]
    if not isinstance(report["epoch"], int) or not all(isinstance(n, int | float) for n in numbers):
        raise ValueError("a report of numbers is needed")
