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
        "pace, those less than half as fast as the best fifth of the others, or a sixth as fast as "
        "the baseline, but a quarter run to their ends; screen, all after a few epochs, then the "
        "best third run to their ends; none",
    )
    grace: int = option(
        0,
        "epochs before early stopping, up to all of the training's, which ends none early; 0 is a "
        "quarter of them, for pace and screen a ninth",
    )
    reduction: float = option(
        3,
        "one in so many trials goes on: with asha at each rung, with screen once",
    )
    patience: int = option(
        0, "end a trial, too, after so many epochs without a better score; 0 is never"
    )

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise unknown("rule", self.rule, RULES, f"scheduler.rule={self.rule}")
        demand(self.grace >= 0, "scheduler.grace", self.grace, "at least 1 epoch, or 0")
        demand(self.reduction > 1, "scheduler.reduction", self.reduction, "above 1")
        demand(self.patience >= 0, "scheduler.patience", self.patience, "at least 1 epoch, or 0")
