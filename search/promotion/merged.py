"""What several trainings predict together: promotions and blends, by name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from results.ensemble.out_of_fold import OutOfFold, out_of_fold
from results.masks.merging import Blend
from results.predictions import Predictions
from search.competition.standing import Standing
from search.promotion.ensemble_members import Member, find_promotion, read_members
from spaces.errors import InputError, unknown


@dataclass(frozen=True, kw_only=True, eq=False)
class Merged:
    """Models that predict together.

    Attributes:
        id: Of the promotion or blend.
        kind: Which of both it is.
        members: The models.
        folder: With their merged predictions.
        words: What they are worth.
    """

    id: str
    kind: Literal["promotion", "blend"]
    members: list[Member]
    folder: Path
    words: str

    @property
    def name(self) -> str:
        """As ``select=`` has it."""
        return f"{self.kind}:{self.id}"

    def test(self) -> Predictions:
        """Test predictions.

        Raises:
            InputError: If there are none.
        """
        path = self.folder / "test.npz"
        if not path.exists():
            raise InputError(f"select={self.name}: not all of its models predict the test images")
        return Predictions.read(path)

    def blend(self) -> Blend | None:
        """How the models are merged; None for the mean as of folds.

        Raises:
            InputError: If the blend's file is gone or damaged.
        """
        if self.kind == "promotion":
            return None
        path = self.folder / "blend.json"
        try:
            return Blend.from_json(json.loads(path.read_text())["blend"])
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{path} does not hold a blend: {error}") from error

    def out_of_fold(self, standing: Standing) -> OutOfFold:
        """Predictions of training images by models that did not see them."""
        count = standing.search.opened.folds.count
        if self.kind == "blend":
            predictions = Predictions.read(self.folder / "oof.npz")
        else:
            found = [member.read(standing)[0].predictions for member in self.members]
            predictions = standing.task.average(found)
        return out_of_fold(standing.search.folds_file, predictions, count)


def find_merged(standing: Standing, select: str, place: str = "") -> Merged:
    """Finds what ``promotion:<id>`` or ``blend:<id>`` names.

    Args:
        standing: Where the competition stands.
        select: The name.
        place: The option that it was given for; empty for ``select=``.

    Raises:
        InputError: If there is none, or none of a promotion's trials is complete.
    """
    kind, _, name = select.partition(":")
    option, metric = place or f"select={select}", standing.metric.name
    if kind == "promotion":
        search = find_promotion(standing, name, option)
        arms = search.arms
        if not arms:
            raise InputError(f"{option}: none of its trials has all of its folds")
        scores = ", ".join(f"{a} {r.score:.4f}" for a, r in arms.items())
        closed = search.summary
        expected = closed.forecast.words if closed is not None and closed.forecast else ""
        return Merged(
            id=name,
            kind="promotion",
            members=[Member(name=f"{name}/{a}", search=search, arm=a) for a in arms],
            folder=search.folder,
            words=f"out-of-fold {metric} {scores}{expected}",
        )
    blends = standing.leaderboard.blends
    if kind != "blend" or name not in blends:
        raise unknown("blend", name, blends, option)
    record = blends[name]
    members = read_members(standing, record.members)
    return Merged(
        id=name,
        kind="blend",
        members=members,
        folder=standing.folder / "blends" / name,
        words=f"{record.recipe} of {len(members)}, out-of-fold {metric} {record.score:.4f}",
    )
