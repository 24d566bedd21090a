"""Scores of trials on test images without labels: what they rank, and where they are wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from results.forecast.methods import CONFIDENCE, Model, estimate

CONFORMITY = (
    "Agreement rewards conformity: if similar models are the majority, or all take the same short "
    "cut, it ranks the worse ones first."
)

SELF_ASSURANCE = (
    "Confidence rewards self-assurance: if the test images leave models sure of wrong answers, it "
    "ranks the worse ones first."
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Unlabelled:
    """A score on unlabelled test images.

    It ranks the trials that compete on the hold-out and brings in no other: broken models agree
    best with broken ones. Promotions and blends go by their out-of-fold scores.

    Attributes:
        name: What it is called.
        values: Larger is better, by trial or model made elsewhere.
    """

    name: str
    values: Mapping[str, float]

    @property
    def warning(self) -> str:
        """Where it is wrong, as a sentence."""
        return SELF_ASSURANCE if self.name == CONFIDENCE else CONFORMITY

    @property
    def words(self) -> str:
        """What it is where it is in force, in sentences."""
        return (
            f"In force is {self.name} on unlabelled test images: it ranks the trials that compete "
            "on the hold-out; promotions and blends are ranked by their out-of-fold scores. "
            f"{self.warning}"
        )

    def points(self, plain: Mapping[str, float], band: Collection[str]) -> dict[str, float]:
        """Scores of trials on the hold-out's scale.

        Those of the band get the mean and the spread that they have there; what has no value, or is
        out of the band, keeps its own.

        Args:
            plain: Scores on the hold-out, in points, larger is better.
            band: Trials that compete on it.
        """
        known = [i for i in band if i in self.values]
        own, held = (np.array([of[i] for i in known]) for of in (self.values, plain))
        if not known or np.ptp(own) == 0:
            return dict(plain)
        moved = held.mean() + (own - own.mean()) / own.std() * held.std()
        return {**plain, **dict(zip(known, moved.tolist(), strict=True))}


def unlabelled_scores(models: Sequence[Model]) -> list[Unlabelled]:
    """What unlabelled test images say of models by themselves and together.

    Args:
        models: With the same test images and classes.
    """
    return [
        Unlabelled(
            name=name,
            values={
                m.id: value
                for m, value in zip(models, values.tolist(), strict=True)
                if np.isfinite(value)
            },
        )
        for name, values in estimate(models).ranking.items()
    ]
