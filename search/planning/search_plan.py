"""What a search trains, in which order, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from results.records.confirmation import CONTROLS, WINNER, confirmation_arms
from results.records.events import Why
from results.records.trial import Trial
from results.records.trials import Search
from search.planning.groundwork import Groundwork
from search.planning.planned import Planned, interrupted
from search.planning.sampler import Proposer
from spaces.trial_config import TrialConfig

CONFIRM_FOLD = 1
"""The fold on which winner and controls are compared: it did not choose the winner."""


@dataclass(kw_only=True)
class SearchPlan:
    """The baseline, groundwork if there is any, sampled trials, the confirmation of the best.

    The confirmation goes in stages: a seed of the winner and every control, then another of the
    winner and of those controls that are not settled yet. Its training of the baseline, which any
    winner has to beat, starts while the last sampled trials still run. If early stopping ended too
    many of them, the best go on to their end. The plan reads what happened from ``search`` and
    keeps nothing of its own that could not be computed from there. Interrupted trials go first.

    Attributes:
        search: The record, kept up to date by the driver.
        sampler: Proposes configurations.
        baseline: The untuned configuration.
        fix: Pinned parameters, flat; they complete what the sampler draws.
        trials: Sampled trials.
        confirm: Seeds of the confirmation at most; 0 for none.
        unsettled: Controls that further seeds may tell from the winner; asked between stages.
        finishing: Sampled trials that run to their end, at least.
        groundwork: Trainings that the sampler waits for.
    """

    search: Search
    sampler: Proposer
    baseline: TrialConfig
    fix: Mapping[str, Any] = field(default_factory=dict)
    trials: int
    confirm: int
    unsettled: Callable[[], Collection[str]]
    finishing: int = 1
    groundwork: Groundwork | None = None
    _proposed: list[Planned] = field(default_factory=list)
    _counts: Counter[Why] = field(default_factory=Counter)
    _asked: tuple[str, ...] = ()
    _known: Collection[str] = ()

    def __post_init__(self) -> None:
        self._proposed = [Planned.again(t) for t in self.search.trials.values()]
        self._counts = Counter(p.why for p in self._proposed)

    def next(self) -> Planned | None:
        """The next training; None if there is nothing to start now."""
        waiting = interrupted(self.search)
        if waiting is not None:
            return waiting
        if not self._proposed:
            return self._propose("baseline", self.baseline)
        if self.groundwork is not None:
            trainings, why = self.groundwork.due(), self.groundwork.why
            if self._counts[why] < len(trainings):
                return self._propose(why, **trainings[self._counts[why]])
            if self.groundwork.proposals() is None:
                return None
        if self._counts["sampled"] < self._wanted:
            params = self.sampler.ask(self._id())
            return self._propose(
                "sampled", self.baseline.with_params({**self.fix, **params}), params=params
            )
        revived = self._revived()
        if revived is not None:
            return revived
        if self.confirm:
            due = self._unconfirmed() if self._sampling_ended() else self._certain()
            for arm, config in due:
                return self._propose("confirm", config, arm=arm)
        return None

    @property
    def done(self) -> bool:
        """Whether `next` will return nothing any more."""
        if self._counts["sampled"] < self._wanted or not self._sampling_ended():
            return False
        if interrupted(self.search):
            return False
        if self._revived() is not None:
            return False
        return not self.confirm or (not self._unconfirmed() and self._ended("confirm"))

    def winner(self) -> Trial | None:
        """The best sampled trial that ran to the end."""
        return self.search.best(self.search.of("sampled"))

    def expected(self) -> int:
        """Number of trainings in all; of the confirmation, those of the stages that are certain."""
        certain = len(self._confirmations()) if self._sampling_ended() else self._first_stage()
        before = self.groundwork.expected if self.groundwork is not None else 0
        return 1 + before + self._wanted + (certain if self.confirm else 0)

    @property
    def _wanted(self) -> int:
        """Trials to sample: no more than there are to propose, none where the groundwork failed."""
        found = self.groundwork.proposals() if self.groundwork is not None else None
        return self.trials if found is None else min(self.trials, found)

    def _first_stage(self) -> int:
        """Trainings of the confirmation's first stage as long as there is no winner to know it."""
        correct = bool(self.baseline.labels.corrections)
        certain = {"policy", "labels"} if correct else {"policy"}
        return 1 + sum(bool(certain & changes.keys()) for changes in CONTROLS.values())

    def _sampling_ended(self) -> bool:
        """Whether all sampled trials have ended; the baseline chooses nothing, so it may run."""
        return len(self.search.of("sampled")) >= self._wanted and self._ended("sampled")

    def _revived(self) -> Planned | None:
        """The best of those that were stopped early, to go on, where too few run to the end."""
        sampled = self.search.of("sampled")
        running = [t for t in sampled if t.state in ("running", "interrupted")]
        going = [t for t in sampled if t.state == "finished"] + running
        if len(sampled) < self._wanted or len(going) >= self.finishing:
            return None
        if not all(t.revived for t in running):  # one of them may be better
            return None
        stopped = [
            (t.epoch, self.search.sign * score, -t.number, t)
            for t in sampled
            if t.state == "stopped" and (score := self.search.score(t)) is not None
        ]
        return Planned.again(max(stopped)[-1]) if stopped else None

    def _ended(self, why: Why) -> bool:
        return all(t.state not in ("running", "interrupted") for t in self.search.of(why))

    def _unconfirmed(self) -> list[tuple[str, TrialConfig]]:
        """Confirmations of the winner that were not handed out; another winner may have its own."""
        handed_out = self._handed_out()
        return [planned for planned in self._confirmations() if planned not in handed_out]

    def _certain(self) -> list[tuple[str, TrialConfig]]:
        """What whoever wins has to beat first, the baseline, for slots that have nothing to sample.

        Nothing as long as it depends on the winner which control the baseline is.
        """
        left = [t for t in self.search.of("sampled") if t.state in ("running", "finished")]
        names = {
            name
            for trial in left
            for name, config in confirmation_arms(trial.asked, self.baseline).items()
            if config == self.baseline
        }
        first = self.baseline.replace(seed=self.baseline.run.seed + 1, fold=CONFIRM_FOLD)
        if len(names) != 1 or WINNER in names:
            return []
        planned = (names.pop(), first)
        return [] if planned in self._handed_out() else [planned]

    def _handed_out(self) -> list[tuple[str, TrialConfig]]:
        return [(p.arm, p.asked or p.config) for p in self._proposed if p.why == "confirm"]

    def _confirmations(self) -> list[tuple[str, TrialConfig]]:
        """Trainings of the stages so far, and of the next one where those before it have ended."""
        winner = self.winner()
        if winner is None:
            return []
        arms = confirmation_arms(winner.config, self.baseline)
        handed_out = self._handed_out()
        found: list[tuple[str, TrialConfig]] = []
        for stage in range(1, self.confirm + 1):
            seed = self.baseline.run.seed + stage
            of_stage = [(a, c.replace(seed=seed, fold=CONFIRM_FOLD)) for a, c in arms.items()]
            begun = [planned for planned in of_stage if planned in handed_out]
            if stage > 1 and not begun and any(p not in handed_out for p in found):
                break
            if stage == 1:
                found += of_stage
            elif begun or self._ended("confirm"):
                left = self._left(winner)
                found += [p for p in of_stage if p in begun or (left and p[0] in {WINNER, *left})]
            else:
                break
        return found

    def _left(self, winner: Trial) -> Collection[str]:
        """Controls that are not settled; asked again only when another training has ended."""
        ended = [t.id for t in self.search.of("confirm") if t.ended is not None]
        if self._asked != (winner.id, *ended):
            self._asked, self._known = (winner.id, *ended), self.unsettled()
        return self._known

    def _id(self) -> str:
        return f"{self.search.id}-{len(self._proposed):03d}"

    def _propose(self, why: Why, config: TrialConfig, **rest: Any) -> Planned:
        planned = Planned(id=self._id(), number=len(self._proposed), why=why, config=config, **rest)
        self._proposed.append(planned)
        self._counts[why] += 1
        return planned


@dataclass(kw_only=True)
class SinglePlan:
    """One training, as ``search.train`` runs it."""

    search: Search
    config: TrialConfig

    def next(self) -> Planned | None:
        """The training, once, and again when it was interrupted."""
        if self.search.trials:
            return interrupted(self.search)
        return Planned(id=f"{self.search.id}-000", number=0, why="single", config=self.config)

    @property
    def done(self) -> bool:
        """Whether it was handed out."""
        return bool(self.search.trials) and interrupted(self.search) is None

    def expected(self) -> int:
        """One."""
        return 1
