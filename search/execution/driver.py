"""The driver's side of a job: writes the ledger, keeps the record, tells who wants to know."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Sequence
from typing import Any

import numpy as np

from results.records.events import (
    Ended,
    EpochDone,
    Report,
    TrialEnded,
    TrialNoted,
    TrialResumed,
    TrialStarted,
)
from results.records.ledger import Ledger
from results.records.record import Event
from results.records.trial import Trial
from results.records.trials import Search
from search.execution.disk_space import Room
from search.execution.faults import after_fault, cause_of_death
from search.execution.say import Say
from search.planning.planned import Planned
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from trainables.training.full_disk import is_full

WATCHED = 10
"""Ended trials of which more than half may not have failed, or the job stops."""

CLOSING_TIME = 15.0
"""Seconds that are kept for the summary before a deadline."""

ROOM_PERIOD = 2.0
"""Seconds between two looks at the room on the disk."""

TOGETHER = 0.05
"""Seconds for which epochs wait for others: a disk may take 4 ms to say that it has them, and a
driver that is killed meanwhile was killed a moment earlier."""

LAST_WAIT = 30.0
"""Seconds that a job which is to stop waits for room for its last events."""


class Driver:
    """Turns what happens to trials into events, in the ledger and in the record.

    Args:
        ledger: The job's ledger.
        search: The record; gets every event that the ledger gets.
        deadline: When to stop, on the monotonic clock; None for no limit.
        known: Finds the training of a configuration in another job, which need not be repeated.

    Attributes:
        slots: Trials at once; may change while the job runs.
        grace: Epochs to the first rung of early stopping.
        processes: How many share a trial's batches.
        stopping: Why the job is to stop; empty while it goes on.
        paused: Why no trial starts for now; empty while they do.
        news: What to tell the user; emptied by whoever tells.
    """

    def __init__(
        self,
        ledger: Ledger,
        search: Search,
        deadline: float | None = None,
        known: Callable[[TrialConfig], Trial | None] = lambda config: None,
    ) -> None:
        self._ledger, self.search, self._deadline = ledger, search, deadline
        self._known = known
        self._listeners: Sequence[Callable[[Trial], None]] = ()
        self._ended: list[tuple[Ended, str]] = []
        self._finished: dict[str, Trial] = {}
        for trial in search.trials.values():
            self._finish(trial)
        self._room, self._look_again = Room(search.folder), 0.0
        self._unwritten, self._due = False, 0.0
        self.slots = self.grace = self.processes = 1
        self.stopping = self.paused = ""
        self.news: list[str] = []

    def on_end(self, listeners: Sequence[Callable[[Trial], None]]) -> None:
        """Calls the listeners with every trial that has ended from now on."""
        self._listeners = listeners

    def record(self, event: Event) -> None:
        """Adds an event to ledger and record; `commit` makes it durable."""
        self.search.apply(self._ledger.add(event))

    def commit(self) -> None:
        """Makes all events durable; where the disk is full they wait."""
        try:
            self._ledger.commit()
            self._unwritten, self._due = False, time.monotonic() + TOGETHER
        except OSError as error:
            if not is_full(error):
                raise
            self._unwritten, self._due = True, 0.0
            self._pause("the ledger cannot be written")

    def drain(self, say: Say) -> None:
        """Waits until all events are durable; a job that is to stop waits a while at most.

        Raises:
            InputError: If there was no room until then.
        """
        begun, told = time.monotonic(), False
        while True:
            try:
                return self._ledger.commit()
            except OSError as error:
                if not is_full(error):
                    raise
            if not told:
                say(f"{self.search.folder}: the disk is full; the last events wait for room")
                told = True
            if self.stopping and time.monotonic() - begun > LAST_WAIT:
                raise InputError(
                    f"{self.search.folder}: the disk is full and the last events could not be "
                    "written; make room and resume: checkpoints have what they say"
                )
            time.sleep(ROOM_PERIOD)

    def watch_room(self) -> None:
        """Lets no trial start while the disk has too little room for those that run and one more.

        How much a trial needs is learnt from what others have written.
        """
        if time.monotonic() < self._look_again:
            return
        self._look_again = time.monotonic() + ROOM_PERIOD
        running = [t.id for t in self.search.trials.values() if t.state == "running"]
        if shortage := self._room.shortage(running):
            self._pause(shortage)
        elif self.paused and not self._unwritten:  # a quota may be full where the disk is not
            self.paused = ""
            self.news.append("there is room again: trials go on")

    def _pause(self, why: str) -> None:
        if not self.paused:
            full = f"{self.search.folder}: the disk is nearly full ({why})"
            self.news.append(f"{full}; trials wait until there is room")
        self.paused = why

    def turn(self) -> None:
        """What is due in every turn of the loop."""
        if time.monotonic() >= self._due:
            self.commit()
        self.watch_deadline()
        self.watch_room()

    def watch_deadline(self) -> None:
        """Stops the job when its time is nearly over."""
        if self._deadline is None or self.stopping:
            return
        if time.monotonic() > self._deadline - CLOSING_TIME:
            self.stopping = "the deadline"

    def in_time(self, planned: Planned) -> bool:
        """Whether a training that starts now comes to its first rung before the deadline.

        One that is not stopped early, or goes on beyond its first rung, has to do an epoch.
        """
        if self._deadline is None:
            return True
        seconds = [e.seconds.total for t in self.search.trials.values() for e in t.epochs]
        known = self.search.trials.get(planned.id)
        left = self.grace - (known.epoch if known else 0) if planned.why == "sampled" else 1
        needed = max(1, left) * float(np.median(seconds)) if seconds else 0.0
        return time.monotonic() + needed < self._deadline - CLOSING_TIME

    def begin(self, planned: Planned) -> bool:
        """Records that a trial starts, or goes on; returns whether it has to be trained.

        A training that was done before is taken over with its reports, and has ended; not a
        segment, whose weights are needed.
        """
        before = self.search.trials.get(planned.id)
        if before is not None:
            if before.state == "stopped":
                self.news.append(f"{planned.id} goes on: it is one of the best that were stopped")
            self.record(TrialResumed(trial=planned.id))
            return True
        digest = planned.config.digest
        known = None
        if planned.why != "segment":
            known = self._finished.get(digest) or self._known(planned.config)
        taken: dict[str, Any] = {"taken": known.taken or known.id} if known is not None else {}
        self.record(
            TrialStarted(
                trial=planned.id,
                number=planned.number,
                why=planned.why,
                arm=planned.arm,
                params=dict(planned.params),
                config=planned.config,
                digest=digest,
                **taken,
            )
        )
        if known is None:
            return True
        for report in known.epochs:
            self.record(EpochDone(trial=planned.id, report=report))
        self._end(planned.id, "finished")
        return False

    def report(self, trial_id: str, result: dict[str, Any]) -> None:
        """Records an epoch, or what made it fail."""
        for words in result.get("notes", ()):
            self.note(trial_id, words)
        if result.get("fault"):
            self.fault(trial_id, result["fault"], result["failed"], result["traceback"])
        elif "failed" in result:
            self._end(trial_id, "failed", result["failed"], traceback=result["traceback"])
        else:
            for report in map(Report.model_validate, result["reports"]):
                if report.epoch > self.search.trials[trial_id].epoch:
                    self.record(EpochDone(trial=trial_id, report=report))

    def complete(self, trial_id: str) -> None:
        """Records how a trial ended."""
        trial = self.search.trials[trial_id]
        if trial.state != "running":
            return
        if trial.epoch >= trial.config.run.last_epoch:
            self._end(trial_id, "finished")
        elif self.stopping:
            self._end(trial_id, "interrupted", self.stopping)
        else:
            self._end(trial_id, "stopped")

    def lost(self, trial_id: str, text: str) -> None:
        """Records that a trial's worker died, with what Ray says of it.

        Whoever ended the process on purpose has left word of why.
        """
        found = cause_of_death(self.search.trial_folder(self.search.trials[trial_id]), text)
        self.fault(trial_id, *found)

    def fault(self, trial_id: str, kind: str, reason: str, traceback: str) -> None:
        """Records what interrupted a trial through no decision of anybody.

        It goes on from its checkpoint as often as `RETRIES` says; out of memory, with half the
        micro-batch, unless that cannot be split.
        """
        trial = self.search.trials[trial_id]
        if trial.state != "running":
            return
        then = after_fault(trial, kind, reason or "no reason given", self.processes)
        self.news.append(then.words)
        state: Ended = "interrupted" if then.again else "failed"
        self._end(trial_id, state, then.reason, traceback=traceback, fault=kind, **then.changes)

    def note(self, trial_id: str, words: str) -> None:
        """Records something about a trial that its owner should know."""
        self.record(TrialNoted(trial=trial_id, words=words))
        self.news.append(f"{trial_id}: {words}")

    def settle(self, decided: Container[str]) -> None:
        """Ends what a driver that was killed left running.

        Args:
            decided: Trials that early stopping had decided to end.
        """
        for trial in list(self.search.trials.values()):
            if trial.state not in ("running", "interrupted"):
                continue
            if trial.epoch >= trial.config.run.last_epoch:
                self._end(trial.id, "finished")
            elif trial.id in decided:
                self._end(trial.id, "stopped")
            elif trial.state == "running":
                self._end(trial.id, "interrupted", "the driver was killed")
        self.commit()

    def _end(self, trial_id: str, state: Ended, reason: str = "", **rest: Any) -> None:
        self.record(TrialEnded(trial=trial_id, state=state, reason=reason, **rest))
        self._due = 0.0  # checkpoints go
        if state != "interrupted":  # it goes on, and will end
            self._ended.append((state, reason))
        last = self._ended[-WATCHED:]
        failed = sum(ended == "failed" for ended, _ in last)
        if failed > WATCHED / 2 and not self.stopping:
            self.stopping = f"{failed} of the last {len(last)} trials failed, the last: {reason}"
        self._room.learn(trial_id)
        trial = self.search.trials[trial_id]
        self._finish(trial)
        for listener in self._listeners:
            listener(trial)

    def _finish(self, trial: Trial) -> None:
        """Remembers a training that ran to its end by what was trained, the first of equal ones."""
        if trial.state == "finished":
            self._finished.setdefault(trial.config.digest, trial)
