"""What the networks of a space cost, by what the sampler draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from results.records.network_cost import NetworkCost
from results.records.objective import CostName
from search.options.limit import LimitConfig
from spaces.trial_config import TrialConfig


@dataclass(frozen=True, kw_only=True)
class NetworkCosts:
    """Costs of the networks that may be drawn.

    Attributes:
        baseline: The untuned configuration.
        fix: Pinned parameters, flat; they complete what is drawn.
        networks: Costs by `TrialConfig.network`.
        limit: What a network may cost.
        second: What is weighed against the metric; None for nothing.
    """

    baseline: TrialConfig
    fix: Mapping[str, Any]
    networks: Mapping[str, NetworkCost]
    limit: LimitConfig
    second: CostName | None

    def allow(self, params: Mapping[str, Any]) -> bool:
        """Whether what was drawn keeps to the limits."""
        return not self.networks or not self.limit.above(self._of(params))

    def weighed(self, params: Mapping[str, Any]) -> tuple[float, ...]:
        """What is weighed against the metric, of what was drawn."""
        return (self._of(params).of(self.second),) if self.second is not None else ()

    def _of(self, params: Mapping[str, Any]) -> NetworkCost:
        config = self.baseline.with_params({**self.fix, **params})
        return self.networks[config.network].times(config.members)
