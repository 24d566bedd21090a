"""Which training images an epoch shows, and how often."""

from __future__ import annotations

from dataclasses import dataclass

from spaces.sections.section import Kinds, Section


@dataclass(frozen=True, kw_only=True)
class Sampling(Section):
    """Every training image once per epoch."""

    kind: str = "uniform"


@dataclass(frozen=True, kw_only=True)
class Balanced(Sampling):
    """Rare classes more often: an epoch draws as many images, with replacement.

    Attributes:
        balance: An image is drawn with a weight of its class's size to the power of minus this: 1
            shows all classes equally often, 0.5 is the square-root rule.
    """

    kind: str = "balanced"
    balance: float = 1.0

    def __post_init__(self) -> None:
        self.demand(0 < self.balance <= 1, "balance", "above 0 and at most 1")


@dataclass(frozen=True, kw_only=True)
class Grouped(Sampling):
    """All groups of ``data.group`` alike: an epoch draws as many images, with replacement."""

    kind: str = "grouped"


SAMPLINGS = Kinds(
    "sampling", Sampling, {"uniform": Sampling, "balanced": Balanced, "grouped": Grouped}
)
