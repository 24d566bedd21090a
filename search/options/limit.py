"""What a network may cost."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, get_args

from results.records.objective import CostName
from search.options.option import option
from search.options.shared import demand

if TYPE_CHECKING:
    from results.records.network_cost import NetworkCost


@dataclass(kw_only=True)
class LimitConfig:
    """What a network may cost where it predicts; measured before anything is trained."""

    ms_per_image: float = option(
        0, "milliseconds per image at most, in batches on this machine; 0 is no limit"
    )
    parameters: float = option(0, "learned numbers at most, such as 5e6; 0 is no limit")
    mb: float = option(0, "size of the weights at most, in MiB; 0 is no limit")

    def __post_init__(self) -> None:
        for name in ("ms_per_image", "parameters", "mb"):
            value = getattr(self, name)
            demand(0 <= value < inf, f"limit.{name}", value, "above 0, or 0 for no limit")

    @property
    def any(self) -> bool:
        """Whether there is a limit."""
        return any((self.ms_per_image, self.parameters, self.mb))

    def above(self, cost: NetworkCost) -> list[CostName]:
        """Names of what a network costs more of than it may."""
        limits: dict[CostName, float] = {n: getattr(self, n) for n in get_args(CostName)}
        return [name for name, most in limits.items() if most and cost.of(name) > most]
