"""How the learning rate changes over a training."""

from __future__ import annotations

from dataclasses import dataclass

from spaces.sections.section import Kinds, Section


@dataclass(frozen=True, kw_only=True)
class Schedule(Section):
    """What every schedule begins with.

    Attributes:
        warmup_epochs: Epochs of linear warm-up.
        warmup_start: Share of the learning rate at which warm-up starts; without warm-up it has no
            effect and takes its default.
    """

    warmup_epochs: int = 1
    warmup_start: float = 0.01

    def __post_init__(self) -> None:
        self.demand(self.warmup_epochs >= 0, "warmup_epochs", "0 or more")
        self.demand(0 < self.warmup_start <= 1, "warmup_start", "above 0 and at most 1")
        if self.warmup_epochs == 0:
            object.__setattr__(self, "warmup_start", Schedule.warmup_start)


@dataclass(frozen=True, kw_only=True)
class Cosine(Schedule):
    """Half a cosine down to 0 at the last step (Loshchilov and Hutter, SGDR, ICLR 2017)."""

    kind: str = "cosine"


@dataclass(frozen=True, kw_only=True)
class Constant(Schedule):
    """The same learning rate from the warm-up to the end."""

    kind: str = "constant"


@dataclass(frozen=True, kw_only=True)
class Step(Schedule):
    """Steps down, as in a team's hand-kept tables.

    Attributes:
        step_epochs: Epochs from one step to the next.
        step_factor: Factor on the learning rate at each step.
    """

    kind: str = "step"
    step_epochs: int = 10
    step_factor: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(self.step_epochs >= 1, "step_epochs", "at least 1")
        self.demand(0 < self.step_factor < 1, "step_factor", "between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class Restarts(Schedule):
    """Several cosines one after the other (Loshchilov and Hutter, SGDR, ICLR 2017).

    Attributes:
        cycles: Number of cosines, of equal length.
        cycle_factor: Factor on the peak from one cosine to the next.
    """

    kind: str = "restarts"
    cycles: int = 3
    cycle_factor: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(2 <= self.cycles <= 100, "cycles", "within 2 to 100")
        self.demand(0 < self.cycle_factor <= 1, "cycle_factor", "above 0 and at most 1")


@dataclass(frozen=True, kw_only=True)
class Exponential(Schedule):
    """Falls by the same share with every step.

    Attributes:
        final_share: Share of the learning rate left at the end.
    """

    kind: str = "exponential"
    final_share: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(0 < self.final_share < 1, "final_share", "between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class Polynomial(Schedule):
    """A power of the share of steps that are left; 1 is a straight line.

    Attributes:
        decay_power: Exponent of the share of steps left; 1 is a straight line.
    """

    kind: str = "polynomial"
    decay_power: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(0 < self.decay_power <= 5, "decay_power", "above 0 and at most 5")


@dataclass(frozen=True, kw_only=True)
class OneCycle(Schedule):
    """One rise and one fall, both cosines, the momentum against them (Smith and Topin, 2019).

    The rise is the warm-up, from `warmup_start` of the learning rate, so ``warmup_epochs`` is 0.

    Attributes:
        rise: Share of the training before the peak.
        low_momentum: The momentum, or the first beta, at the peak; has no effect if the optimizer's
            own is lower, or if it has none.
    """

    kind: str = "one_cycle"
    rise: float = 0.3
    low_momentum: float = 0.85

    def __post_init__(self) -> None:
        start = self.warmup_start
        object.__setattr__(self, "warmup_epochs", 0)
        super().__post_init__()
        object.__setattr__(self, "warmup_start", start)  # which the base takes for idle
        self.demand(0 < self.rise < 1, "rise", "between 0 and 1")
        self.demand(0 < self.low_momentum < 1, "low_momentum", "between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class Plateau(Schedule):
    """Steps down whenever the training loss has not fallen for some epochs.

    The hold-out's score has no say in it: it would flatter what it is asked about.

    Attributes:
        plateau_epochs: Epochs without a lower training loss before a step down.
        plateau_factor: Factor on the learning rate at each step.
    """

    kind: str = "plateau"
    plateau_epochs: int = 2
    plateau_factor: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(self.plateau_epochs >= 1, "plateau_epochs", "at least 1")
        self.demand(0 < self.plateau_factor < 1, "plateau_factor", "between 0 and 1")


SCHEDULES = Kinds(
    "schedule",
    Schedule,
    {
        "cosine": Cosine,
        "constant": Constant,
        "step": Step,
        "restarts": Restarts,
        "exponential": Exponential,
        "polynomial": Polynomial,
        "one_cycle": OneCycle,
        "plateau": Plateau,
    },
)
