"""How images whose label was corrected are trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spaces.sections.section import Kinds, Section

GIVEN = "given"
"""The kind that makes nothing of corrections."""

RELABEL = "relabel"
"""The kind that learns what is corrected."""

DROP = "drop"
"""The kind that leaves out what is corrected."""


@dataclass(frozen=True, kw_only=True)
class Labels(Section):
    """All images, with the labels as they are given.

    Attributes:
        corrections: Digest of the corrections that the data has; empty without any.
    """

    kind: str = GIVEN
    corrections: str = ""

    @property
    def identity(self) -> dict[str, Any]:
        """Without corrections that nothing is made of: the training is the same without them."""
        return {"kind": self.kind} if self.kind == GIVEN else self.to_json()


@dataclass(frozen=True, kw_only=True)
class Relabelled(Labels):
    """Corrected images with their new labels; those that should not be used are left out."""

    kind: str = RELABEL


@dataclass(frozen=True, kw_only=True)
class Dropped(Labels):
    """All images but those that are corrected or should not be used."""

    kind: str = DROP


@dataclass(frozen=True, kw_only=True)
class Downweighted(Labels):
    """All images as labelled; those that are corrected, or should not be used, count less.

    Attributes:
        label_weight: Weight of such an image, between 0 and 1.
    """

    kind: str = "downweight"
    label_weight: float = 0.3

    def __post_init__(self) -> None:
        self.demand(0 < self.label_weight < 1, "label_weight", "between 0 and 1")


LABELS = Kinds(
    "labels",
    Labels,
    {GIVEN: Labels, RELABEL: Relabelled, DROP: Dropped, "downweight": Downweighted},
)
