"""Options of the command that draws masks to begin with."""

from __future__ import annotations

from dataclasses import dataclass

from search.options.analysis import NetworksConfig
from search.options.option import option
from search.options.shared import demand


@dataclass(kw_only=True)
class CamsConfig(NetworksConfig):
    """``python -m search.cams``."""

    select: str = option("best", "the trial whose maps are taken: best, baseline, or its id")
    background: list[str] = option(
        list, "classes whose images show none of the others: background=[empty]"
    )
    low: float = option(0.2, "share of a map's largest value below which pixels are background")
    high: float = option(
        0.4, "the same from which on they are of the class; what lies between is void"
    )
    to: str = option("", "folder to write; in the runs folder when empty")
    quiet: bool = option(False, "print only the result")

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(0 < self.low < 1, "low", self.low, "above 0 and below 1")
        demand(self.low <= self.high <= 1, "high", self.high, f"from low={self.low:g} to 1")
