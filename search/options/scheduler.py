"""Options of early stopping."""

from __future__ import annotations

from dataclasses import dataclass

from search.options.option import option
from search.options.shared import demand
from spaces.errors import unknown

AUTO = "auto"
BOTH, PACE, ASHA, SCREEN, NONE = RULES = ("both", "pace", "asha", "screen", "none")
"""Rules of early stopping."""


@dataclass(kw_only=True)
class SchedulerConfig:
    """Early stopping of sampled trials; controls always run to the end."""

    rule: str = option(
        AUTO,
        "which trials end early: pace, those half as fast as the best fifth of the others or a "
        "sixth as fast as the baseline; asha, all but the best third at each rung (Li et al., "
        "2020); both, what either ends; of pace and both a quarter go on to their ends; screen, "
        "all after a few epochs, and the best third goes on; none; auto is both, and asha with two "
        "objectives",
    )
    grace: int = option(
        0,
        "epochs before early stopping; 0 is a ninth of the training, for asha's a quarter",
    )
    reduction: float = option(
        3,
        "one in so many trials goes on, with asha and both at each rung, with screen of all",
    )
    patience: int = option(
        0, "a trial also ends after so many epochs without a better score; 0 is no such end"
    )

    def __post_init__(self) -> None:
        if self.rule not in (AUTO, *RULES):
            raise unknown("rule", self.rule, (AUTO, *RULES), f"scheduler.rule={self.rule}")
        demand(self.grace >= 0, "scheduler.grace", self.grace, "at least 1 epoch, or 0")
        demand(self.reduction > 1, "scheduler.reduction", self.reduction, "above 1")
        demand(self.patience >= 0, "scheduler.patience", self.patience, "at least 1 epoch, or 0")
