"""Whether labelled images from elsewhere (`data.extra`) are trained on, too."""

from __future__ import annotations

from dataclasses import dataclass

from spaces.sections.section import Kinds, Section


@dataclass(frozen=True, kw_only=True)
class Extra(Section):
    """The contest's own images only."""

    kind: str = "none"


@dataclass(frozen=True, kw_only=True)
class EveryExtra(Extra):
    """All of them, in every fold's training and in no hold-out.

    Attributes:
        extra_weight: How much such an image counts, beside 1 for one of the contest.
    """

    kind: str = "all"
    extra_weight: float = 1.0

    def __post_init__(self) -> None:
        self.demand(0 < self.extra_weight <= 1, "extra_weight", "above 0 and at most 1")


EXTRA = Kinds("extra", Extra, {"none": Extra, "all": EveryExtra})
