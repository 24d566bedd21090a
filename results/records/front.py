"""What a search with two objectives found: trials that no other beats in both."""

from __future__ import annotations

from results.records.objective import CostName
from results.records.record import Record


class FrontMember(Record):
    """A trial that no other beats in metric and cost.

    Attributes:
        trial: Its id.
        score: What trials are compared by.
        cost: Of its network.
        behind: Points behind the best score.
        margin: Half width of the interval around that, in points; None of the best itself, and
            where the metric is undefined on resamples.
    """

    trial: str
    score: float
    cost: float
    behind: float
    margin: float | None

    @property
    def told_apart(self) -> bool:
        """Whether the hold-out tells it from the best beyond the noise of its images."""
        return self.margin is None or self.behind > self.margin


class Front(Record):
    """Trials that no other beats in both objectives.

    Attributes:
        cost: What was weighed against the metric.
        trials: Trials that ran to their end.
        members: Those that no other beats, the best score first.
    """

    cost: CostName
    trials: int
    members: tuple[FrontMember, ...]

    @property
    def bargain(self) -> FrontMember | None:
        """The cheapest that the hold-out does not tell from the best; None if that is the best."""
        near = [m for m in self.members[1:] if not m.told_apart]
        return near[-1] if near else None
