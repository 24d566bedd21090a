"""What a plan hands out: trainings that are to start, or to go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from results.records.events import Why
from results.records.trial import Trial
from results.records.trials import Search
from spaces.trial_config import TrialConfig


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A training that is to start, or to go on from its checkpoint.

    Attributes:
        id: Of the trial.
        number: Position in the job.
        why: As of a trial.
        config: What to train.
        asked: What was planned at first, if that has changed since.
        arm: As of a trial.
        params: What was drawn.
        revived: Whether it goes on although it was stopped early, and to its end.
    """

    id: str
    number: int
    why: Why
    config: TrialConfig
    asked: TrialConfig | None = None
    arm: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    revived: bool = False

    @staticmethod
    def again(trial: Trial) -> Planned:
        """The next attempt of a trial that has begun."""
        return Planned(
            id=trial.id,
            number=trial.number,
            why=trial.why,
            config=trial.config,
            asked=trial.asked,
            arm=trial.arm,
            params=trial.params,
            revived=trial.revived or trial.state == "stopped",
        )


def interrupted(search: Search) -> Planned | None:
    """The first trial that was interrupted, to go on with."""
    waiting = [t for t in search.trials.values() if t.state == "interrupted"]
    return Planned.again(min(waiting, key=lambda t: t.number)) if waiting else None


class Plan(Protocol):
    """What to train next."""

    def next(self) -> Planned | None:
        """The next training, or None if there is none now."""

    @property
    def done(self) -> bool:
        """Whether there will be none any more."""

    def expected(self) -> int:
        """Number of trainings in all."""
