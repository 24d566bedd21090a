"""Options of early stopping."""

from __future__ import annotations

from dataclasses import dataclass

from search.options.option import option
from search.options.shared import demand
from spaces.errors import unknown

PACE, ASHA, SCREEN, NONE = RULES = ("pace", "asha", "screen", "none")
"""Rules of early stopping."""


@dataclass(kw_only=True)
class SchedulerConfig:
    """Early stopping of sampled trials; controls always run to the end."""

    rule: str = option(
        ASHA,
        "which trials end early: asha, all but the best third at each rung (Li et al., 2020); "
        "pace, those half as fast as the best fifth of the others or a sixth as fast as the "
        "baseline, with a quarter that goes on to its end; screen, all after a few epochs, and the "
        "best third goes on to its end; none",
    )
    grace: int = option(
        0,
        "epochs before early stopping, up to all of the training's, which ends none early; 0 is a "
        "quarter of them, for pace and screen a ninth",
    )
    reduction: float = option(
        3,
        "one in so many trials goes on, with asha at each rung, with screen of all",
    )
    patience: int = option(
        0, "a trial also ends after so many epochs without a better score; 0 is no such end"
    )

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise unknown("rule", self.rule, RULES, f"scheduler.rule={self.rule}")
        demand(self.grace >= 0, "scheduler.grace", self.grace, "at least 1 epoch, or 0")
        demand(self.reduction > 1, "scheduler.reduction", self.reduction, "above 1")
        demand(self.patience >= 0, "scheduler.patience", self.patience, "at least 1 epoch, or 0")
