"""Averages of the weights, or of several epochs' predictions, used in place of the last epoch."""

from __future__ import annotations

from dataclasses import dataclass

from spaces.sections.section import Kinds, Section


@dataclass(frozen=True, kw_only=True)
class Averaging(Section):
    """The weights as they are."""

    kind: str = "none"


@dataclass(frozen=True, kw_only=True)
class MovingAverage(Averaging):
    """An exponential moving average over steps (EMA).

    Attributes:
        ema_decay: Decay per step.
    """

    kind: str = "ema"
    ema_decay: float = 0.99

    def __post_init__(self) -> None:
        self.demand(0 < self.ema_decay < 1, "ema_decay", "between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class EpochAverage(Averaging):
    """The mean of the last epochs (SWA; Izmailov et al., UAI 2018).

    Attributes:
        swa_epochs: How many of the last epochs are averaged.
    """

    kind: str = "swa"
    swa_epochs: int = 1

    def __post_init__(self) -> None:
        self.demand(self.swa_epochs >= 1, "swa_epochs", "at least 1")


@dataclass(frozen=True, kw_only=True)
class EpochEnsemble(Averaging):
    """The mean of what the networks of the last epochs predict, at the cost of as many (Chen et
    al., Checkpoint Ensembles, 2017). Of a training of one epoch there is one.

    Attributes:
        ensemble_epochs: How many of the last epochs predict.
    """

    kind: str = "ensemble"
    ensemble_epochs: int = 2

    def __post_init__(self) -> None:
        self.demand(self.ensemble_epochs >= 2, "ensemble_epochs", "at least 2")


AVERAGINGS = Kinds(
    "averaging",
    Averaging,
    {"none": Averaging, "ema": MovingAverage, "swa": EpochAverage, "ensemble": EpochEnsemble},
)
