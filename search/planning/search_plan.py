"""What a search trains, in which order, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from results.records.trials import Search, Trial, Why
from search.planning.planned import Planned, interrupted
from search.planning.sampler import Sampler
from spaces.augmentation.policy import AugPolicy
from spaces.augmentation.trivial_augment import trivial_augment
from spaces.trial_config import TrialConfig

CONFIRM_FOLD = 1
"""The fold on which winner and controls are compared: it did not choose the winner."""

CONTROLS = {
    "no augmentation": {"policy": AugPolicy(), "mix": "none"},
    "TrivialAugment": {"policy": trivial_augment(), "mix": "none"},
}
"""Matched controls: the winner's configuration but for its augmentation."""

WINNER, BASELINE = "winner", "the baseline"


def confirmation_arms(winner: TrialConfig, baseline: TrialConfig) -> dict[str, TrialConfig]:
    """The winner and what it has to beat, by name; equal configurations appear once."""
    arms = {WINNER: winner}
    for name, changes in CONTROLS.items():
        config = winner.replace(**changes)
        if config == baseline:
            name = f"{name} ({BASELINE})"
        if config != winner:
            arms[name] = config
    return arms if baseline in arms.values() else {**arms, BASELINE: baseline}


@dataclass(kw_only=True)
class SearchPlan:
    """The baseline, then sampled trials, then the confirmation of the best.

    It reads what happened from ``search`` and keeps nothing of its own that could not be
    computed from there. Interrupted trials go first.

    Attributes:
        search: The record, kept up to date by the driver.
        sampler: Proposes configurations.
        baseline: The untuned configuration.
        fix: Pinned parameters, flat; they complete what the sampler draws.
        trials: Sampled trials.
        confirm: Seeds of the confirmation; 0 for none.
    """

    search: Search
    sampler: Sampler
    baseline: TrialConfig
    fix: Mapping[str, Any] = field(default_factory=dict)
    trials: int
    confirm: int
    _proposed: list[Planned] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._proposed = [Planned.again(t) for t in self.search.trials.values()]

    def next(self) -> Planned | None:
        """The next training; None if there is nothing to start now."""
        waiting = interrupted(self.search)
        if waiting is not None:
            return waiting
        if not self._proposed:
            return self._propose("baseline", self.baseline)
        sampled = sum(p.why == "sampled" for p in self._proposed)
        if sampled < self.trials:
            params = self.sampler.ask(self._id())
            return self._propose(
                "sampled", self.baseline.with_params({**self.fix, **params}), params=params
            )
        if self.confirm and self._sampling_ended():
            for arm, config in self._unconfirmed():
                return self._propose("confirm", config, arm=arm)
        return None

    @property
    def done(self) -> bool:
        """Whether `next` will return nothing any more."""
        sampled = sum(p.why == "sampled" for p in self._proposed)
        if sampled < self.trials or not self._sampling_ended() or interrupted(self.search):
            return False
        return not self.confirm or not self._unconfirmed()

    def winner(self) -> Trial | None:
        """The best sampled trial that ran to the end."""
        return self.search.best(self.search.of("sampled"))

    def expected(self) -> int:
        """Number of trainings in all; an estimate until the winner is known."""
        per_seed = len(self._confirmations()) if self._sampling_ended() else 3 * self.confirm
        return 1 + self.trials + (per_seed if self.confirm else 0)

    def _sampling_ended(self) -> bool:
        """Whether all sampled trials have ended; the baseline chooses nothing, so it may run."""
        sampled = self.search.of("sampled")
        live = ("running", "interrupted")
        return len(sampled) >= self.trials and all(t.state not in live for t in sampled)

    def _unconfirmed(self) -> list[tuple[str, TrialConfig]]:
        """Confirmations of the winner that were not handed out; another winner may have its own."""
        known = [(p.arm, p.asked or p.config) for p in self._proposed if p.why == "confirm"]
        return [planned for planned in self._confirmations() if planned not in known]

    def _confirmations(self) -> list[tuple[str, TrialConfig]]:
        winner = self.winner()
        if winner is None:
            return []
        seeds = range(self.baseline.run.seed + 1, self.baseline.run.seed + 1 + self.confirm)
        return [
            (arm, config.replace(seed=seed, fold=CONFIRM_FOLD))
            for seed in seeds
            for arm, config in confirmation_arms(winner.config, self.baseline).items()
        ]

    def _id(self) -> str:
        return f"{self.search.id}-{len(self._proposed):03d}"

    def _propose(self, why: Why, config: TrialConfig, **rest: Any) -> Planned:
        planned = Planned(id=self._id(), number=len(self._proposed), why=why, config=config, **rest)
        self._proposed.append(planned)
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
