"""The record of one training, as events make it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from results.records.events import Ended, Report, Why
from spaces.sections.run import Segment
from spaces.trial_config import TrialConfig


@dataclass(frozen=True, kw_only=True)
class Trial:
    """The record of one training; immutable, replaced when an event adds to it.

    Attributes:
        id: Global id, ``<search>-<number>``.
        number: Position in the search, from 0.
        why: ``baseline``, ``matcher`` (scores policies by inference), ``segment`` (some epochs of
            a member of a population), ``sampled``, ``confirm``, ``single`` (from
            ``search.train``) or ``fold`` (of a promotion).
        arm: For confirmations, which side of the comparison it belongs to; for folds, the trial
            that is promoted; for segments, the member.
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
        revived: Whether it was stopped early and went on, since no other ran to the end.
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
    epochs: tuple[Report, ...] = ()
    state: Literal["running"] | Ended = "running"
    reason: str = ""
    ended: float | None = None
    taken: str = ""
    attempts: int = 1
    faults: tuple[str, ...] = ()
    revived: bool = False
    asked: TrialConfig = None  # type: ignore[assignment]  # the configuration, unless given

    def __post_init__(self) -> None:
        if self.asked is None:
            object.__setattr__(self, "asked", self.config)

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return self.epochs[-1].epoch if self.epochs else 0

    @property
    def segment(self) -> Segment:
        """What a segment trains, and after which others."""
        assert isinstance(self.config.run, Segment)
        return self.config.run

    def score(self, metric: str) -> float | None:
        """The metric on the held-out fold after the last epoch; None if there is none."""
        return self.reported(f"val/{metric}")

    def reported(self, key: str) -> float | None:
        """A number of the last epoch's report; None if there is none."""
        return self.epochs[-1].metrics.get(key) if self.epochs else None

    @property
    def seconds(self) -> float:
        """Time spent in training and evaluation, in seconds."""
        return self.spent("total")

    def spent(self, part: str) -> float:
        """Seconds of all epochs that went into a part of `Seconds`."""
        return float(sum(getattr(e.seconds, part) for e in self.epochs))
