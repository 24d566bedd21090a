"""The events of a job's ledger as its readers rely on them: damage is refused where it is read."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, TypeAdapter

from results.records.closing import Closed
from results.records.opening import Config, Opened
from results.records.record import Count, Event, MaybeName, Name, Record

Why = Literal["baseline", "matcher", "segment", "sampled", "confirm", "single", "fold"]
Ended = Literal["finished", "stopped", "failed", "interrupted"]


class Resumed(Event):
    """A job goes on.

    Attributes:
        changes: What it goes on with of the options that may change.
        code: Digest of our sources as they are now.
    """

    event: Literal["resumed"] = "resumed"
    changes: dict[Literal["trials", "confirm"], Count]
    code: str = ""


class TrialStarted(Event):
    """A training begins.

    Attributes:
        trial: Global id, ``<search>-<number>``.
        number: Position in the job, from 0.
        why: What it is for.
        arm: Which side of a comparison it belongs to, or the trial that is promoted.
        params: What the search drew.
        config: The complete configuration.
        digest: Of the configuration.
        taken: Trial of another job that was this very training; empty if it is trained here.
    """

    event: Literal["trial_started"] = "trial_started"
    trial: Name
    number: Count
    why: Why
    arm: str
    params: dict[str, Any]
    config: Config
    digest: str = ""
    taken: MaybeName = ""


class TrialResumed(Event):
    """A training goes on from its checkpoint; one that was stopped early, to its end."""

    event: Literal["trial_resumed"] = "trial_resumed"
    trial: str


class Seconds(Record):
    """What an epoch's time was spent on.

    Attributes:
        feed: Waiting for batches.
        transfer: Moving them to the device, as far as the trainer waited for it.
        compute: Forward and backward passes and the optimizer's steps.
        evaluate: Predicting held-out images, and scoring that.
        total: All of these.
        checkpoint: Writing down, after it, what a killed training goes on from.
        wait: Waiting for the driver before it.
    """

    feed: float = 0.0
    transfer: float = 0.0
    compute: float = 0.0
    evaluate: float = 0.0
    total: float
    checkpoint: float = 0.0
    wait: float = 0.0


class Report(Record):
    """A trainer's report of an epoch.

    Attributes:
        epoch: Which one, from 1.
        metrics: By name, with the part they are of: ``val/accuracy``.
        seconds: What its time was spent on.
        images: Images trained on.
    """

    epoch: Count
    metrics: dict[str, float]
    seconds: Seconds
    images: Count = 0


class EpochDone(Event):
    """A training reports an epoch."""

    event: Literal["epoch"] = "epoch"
    trial: str
    report: Report


class TrialNoted(Event):
    """Something about a trial that its owner should know."""

    event: Literal["note"] = "note"
    trial: str
    words: str


class TrialEnded(Event):
    """A training ends, for now if it was interrupted.

    Attributes:
        trial: Global id.
        state: How; ``stopped`` means early, by the scheduler.
        reason: Why it failed or was interrupted.
        traceback: Where it was.
        fault: What interrupted it, other than its driver; empty if nothing did.
        micro_batch: With which it goes on; None for the same.
    """

    event: Literal["trial_ended"] = "trial_ended"
    trial: str
    state: Ended
    reason: str
    traceback: str = ""
    fault: str = ""
    micro_batch: PositiveInt | None = None


EVENTS: TypeAdapter[Any] = TypeAdapter(
    Annotated[
        Opened
        | Resumed
        | TrialStarted
        | TrialResumed
        | EpochDone
        | TrialNoted
        | TrialEnded
        | Closed,
        Field(discriminator="event"),
    ]
)
"""What a job's ledger is made of."""
