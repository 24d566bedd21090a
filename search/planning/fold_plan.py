"""What a promotion trains: folds of one or several configurations, after a race if asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from results.records.trial import Trial
from results.records.trials import Search
from search.planning.planned import Planned
from spaces.trial_config import TrialConfig

RACE_FOLDS = (1, 2)
"""Folds on which a race is run: they did not choose the trials."""

ATTEMPTS = 2
"""Trainings of a fold before it is given up."""


def fold_config(config: TrialConfig, fold: int, seed: int) -> TrialConfig:
    """The configuration of a fold's training.

    Fold 0 begins with the trial's own seed, so that the hold-out run is its first training; the
    others with the next one, so that runs of a confirmation on fold 1 are.

    Args:
        config: The promoted configuration, on fold 0.
        fold: Which fold is held out.
        seed: Number of the training on that fold, from 0.
    """
    return config.replace(fold=fold, seed=config.run.seed + seed + (fold > 0))


@dataclass(kw_only=True)
class FoldsPlan:
    """Trains folds; a failed one is tried again.

    Attributes:
        search: The record, kept up to date by the driver.
        arms: Promoted configurations by trial, best first.
        folds: Folds to train.
        seeds: Trainings per fold.
        race: Folds that all arms train first; empty if there is no race.
        survivors: Says who is left once the race is over.
        started: Trials handed out or taken over so far.
    """

    search: Search
    arms: Mapping[str, TrialConfig]
    folds: tuple[int, ...]
    seeds: int
    race: tuple[int, ...]
    survivors: Callable[[], list[str]]
    started: int = 0
    _left: list[str] | None = field(default=None)

    def __post_init__(self) -> None:
        self.started = len(self.search.trials)

    def next(self) -> Planned | None:
        """The next fold; None if there is nothing to start now."""
        for arm, config in self._wanted():
            tried = self._tried(arm, config)
            if self._settled(tried) or any(t.state == "running" for t in tried):
                continue
            for trial in tried:
                if trial.state == "interrupted":
                    return Planned.again(trial)
            number, self.started = self.started, self.started + 1
            return Planned(
                id=f"{self.search.id}-{number:03d}",
                number=number,
                why="fold",
                config=config,
                arm=arm,
            )
        return None

    @property
    def done(self) -> bool:
        """Whether every wanted fold has been trained, or given up."""
        if self.race and self._left is None and not self._race_over():
            return False
        return all(self._settled(self._tried(arm, config)) for arm, config in self._wanted())

    def expected(self) -> int:
        """Number of trainings in all; an estimate until the race is over."""
        return max(len(self._wanted()), self.started)

    def wanted(self) -> list[tuple[str, TrialConfig]]:
        """Every training that may be needed, whoever wins the race."""
        return [
            (arm, fold_config(config, fold, seed))
            for seed in range(self.seeds)
            for fold in self.folds
            for arm, config in self.arms.items()
        ]

    def left(self) -> list[str]:
        """Arms that get all of their folds."""
        if not self.race:
            return list(self.arms)
        if self._left is None and self._race_over():
            self._left = self.survivors()
        return self._left or []

    def _wanted(self) -> list[tuple[str, TrialConfig]]:
        """What is to be trained as far as is known now."""
        left = self.left()
        return [
            (arm, config)
            for arm, config in self.wanted()
            if arm in left or config.run.fold in self.race
        ]

    def _race_over(self) -> bool:
        return all(
            self._settled(self._tried(arm, config))
            for arm, config in self.wanted()
            if config.run.fold in self.race
        )

    @staticmethod
    def _settled(tried: list[Trial]) -> bool:
        """Whether one of these was trained to its end, or enough of them failed."""
        states = [t.state for t in tried]
        return "finished" in states or states.count("failed") >= ATTEMPTS

    def _tried(self, arm: str, config: TrialConfig) -> list[Trial]:
        return [t for t in self.search.of("fold") if t.arm == arm and t.asked == config]
