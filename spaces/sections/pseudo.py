"""Whether to train on test images, labelled by the models of an earlier promotion."""

from __future__ import annotations

from dataclasses import dataclass

from spaces.sections.section import Kinds, Section

SOFT = "soft"
"""The kind that learns how likely classes are."""


@dataclass(frozen=True, kw_only=True)
class Pseudo(Section):
    """Labelled images only."""

    kind: str = "none"


@dataclass(frozen=True, kw_only=True)
class Taught(Pseudo):
    """Test images as well, as the promotion's models of the same fold label them (Lee, 2013).

    ``soft`` takes their probabilities as the target, ``hard`` the likeliest class.

    Attributes:
        teachers: Name of the promotion whose models label the images.
        pseudo_weight: Weight of such an image; a labelled one has 1.
        pseudo_threshold: Confidence from which an image is used; 0 takes that from which the
            teachers are right in 95 % of cases on held-out images of other folds.
    """

    kind: str = SOFT
    teachers: str = ""
    pseudo_weight: float = 1.0
    pseudo_threshold: float = 0.0

    def __post_init__(self) -> None:
        self.demand(0 < self.pseudo_weight <= 1, "pseudo_weight", "above 0 and at most 1")
        self.demand(0 <= self.pseudo_threshold < 1, "pseudo_threshold", "within 0 to below 1")


PSEUDO = Kinds("pseudo", Pseudo, {"none": Pseudo, SOFT: Taught, "hard": Taught})
