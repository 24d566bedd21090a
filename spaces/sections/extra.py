"""Whether to train on labelled images from elsewhere (`data.extra`), too."""

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
        extra_weight: Weight of such an image; one of the contest has 1.
    """

    kind: str = "all"
    extra_weight: float = 1.0

    def __post_init__(self) -> None:
        self.demand(0 < self.extra_weight <= 1, "extra_weight", "above 0 and at most 1")


EXTRA = Kinds("extra", Extra, {"none": Extra, "all": EveryExtra})
