"""``select=`` of a blend: promoted trials and models made elsewhere, by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from results.ensemble.out_of_fold import OutOfFold, collect, out_of_fold
from results.predictions import Predictions
from results.records.labelled_images import LabelledImages
from results.records.searches import searches
from results.records.trial import Trial
from results.records.trials import Search
from search.competition.standing import Standing
from spaces.errors import InputError, unknown
from trainables.portable.views import VIEWS


@dataclass(frozen=True, kw_only=True)
class Member:
    """A model that can be blended.

    Attributes:
        name: ``<promotion>/<trial>``, with ``:<view>`` for a view, or the name of an import.
        search: The promotion; None for an import.
        arm: The promoted trial; empty for an import.
        view: How its images are looked at; empty for as they are.
    """

    name: str
    search: Search | None = None
    arm: str = ""
    view: str = ""

    def seen(self, view: str) -> Member:
        """The same model, looking at images in another way."""
        return dataclasses.replace(self, name=f"{self.name}:{view}", view=view)

    @property
    def unseen(self) -> Member:
        """The same model, looking at images as they are."""
        return dataclasses.replace(self, name=self.name.removesuffix(f":{self.view}"), view="")

    def trials(self) -> list[Trial]:
        """The trainings behind it; none for an import."""
        if self.search is None:
            return []
        return self.search.trainings(self.arm)

    def read(self, standing: Standing) -> tuple[OutOfFold, Predictions | None]:
        """Its out-of-fold and test predictions."""
        if self.search is not None:
            return collect(self.search, self.arm, self.view)
        imported = standing.leaderboard.of_trial(self.name)
        assert imported is not None
        oof = Predictions.read(standing.folder / imported.oof)
        test = Predictions.read(standing.folder / imported.test)
        folds = standing.search.folds_file
        count = standing.search.opened.folds.count
        return out_of_fold(folds, oof.normalised(), count), test.normalised()


def promotions(standing: Standing) -> dict[str, Search]:
    """Promotions on the competition's images and folds, oldest first."""
    here = standing.search.opened
    found = {}
    for path in searches(standing.folder.parent):
        if path.parent != standing.folder:
            continue
        search = Search.read(path)
        opened = search.opened
        alike = opened.data.digest == here.data.digest and opened.folds.digest == here.folds.digest
        if opened.kind == "promotion" and alike:
            found[search.id] = search
    return found


def newest_promotion(standing: Standing) -> str:
    """Name of the newest promotion.

    Raises:
        InputError: If there is none.
    """
    known = list(promotions(standing))
    if not known:
        raise InputError("there is no promotion yet: python -m search.promote")
    return known[-1]


def find_promotion(standing: Standing, name: str, option: str) -> Search:
    """A promotion by name.

    Raises:
        InputError: If there is none on these images and folds.
    """
    known = promotions(standing)
    if name not in known:
        raise unknown("promotion", name, known, option)
    return known[name]


def read_members(standing: Standing, names: Sequence[str]) -> list[Member]:
    """Finds models by name.

    Args:
        standing: Where the competition stands.
        names: Names of promotions (all of their finished trials), of single ones among these
            (``<promotion>/<trial>``), and of imports; or ``all``, which leaves out promotions of
            some folds only and, of a trial that was promoted twice, all but the newest.

    Raises:
        InputError: If a name is unknown, or what it names cannot be blended.
    """
    known = promotions(standing)
    arms = {
        name: [Member(name=f"{name}/{arm}", search=s, arm=arm) for arm in s.arms]
        for name, s in known.items()
    }
    images = set(LabelledImages.fold_of_images(standing.search.folds_file))
    imports: dict[str, Member] = {}
    stale = set()
    for submission in standing.leaderboard.submissions.values():
        if submission.oof:
            oof = Predictions.read(standing.folder / submission.oof)
            if set(oof.images) == images and oof.classes == standing.classes:
                imports[submission.trial] = Member(name=submission.trial)
            else:
                stale.add(submission.trial)
    trials = {c.id for c in standing.pool if c.trial is not None}
    single = {m.name: m for found in arms.values() for m in found}
    for name in names:  # a view of one of these, as blends record them
        base, _, view = name.partition(":")
        if base in single and view in VIEWS:
            single[name] = single[base].seen(view)
    if list(names) == ["all"]:
        return [*_newest(arms), *imports.values()]
    chosen: list[Member] = []
    for name in names:
        if name in imports:
            chosen.append(imports[name])
        elif name in single:
            chosen.append(single[name])
        elif arms.get(name):
            chosen += arms[name]
        elif name in arms:
            raise InputError(f"{name} has no trial with all of its folds")
        elif name in stale:
            raise InputError(f"{name} predicts other training images or classes than there are now")
        elif name in trials:
            raise InputError(
                f"{name} is known on the hold-out alone: promote it first, python -m "
                f"search.promote select={name}"
            )
        elif any(s.trial == name for s in standing.leaderboard.submissions.values()):
            raise InputError(
                f"{name} has no out-of-fold predictions: submit it with validation= of all "
                "training images"
            )
        else:
            raise unknown("promotion or import", name, [*arms, *single, *imports], "select")
    return list({m.name: m for m in chosen}.values())


def _newest(arms: dict[str, list[Member]]) -> list[Member]:
    """Fully promoted trials, each configuration once."""
    found: dict[str, Member] = {}
    for member in (m for members in arms.values() for m in members):
        assert member.search is not None
        promotion = member.search.promotion
        if promotion.folds == member.search.opened.folds.count:
            key = promotion.arms[member.arm].digest
            found.pop(key, None)
            found[key] = member
    return list(found.values())
