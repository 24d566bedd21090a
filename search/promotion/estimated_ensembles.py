"""How accurate promotions and blends are on the unlabelled test images."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from results.forecast.ensembles import Part
from results.forecast.estimated import Estimated
from results.forecast.methods import Model
from results.forecast.promotions import estimated_merged, trainings_of
from results.masks.merging import Blend
from search.competition.standing import Standing
from search.promotion.ensemble_members import Member, promotions
from search.promotion.merged import Merged, find_merged
from spaces.errors import InputError

LATEST = 5
"""Promotions, and blends, that are looked at; besides those with a public score."""

LABELS_ALONE = "one of its models gave labels, not probabilities"


def estimated_ensembles(
    standing: Standing, scored: Collection[str]
) -> tuple[list[Estimated], dict[str, str]]:
    """The latest promotions and blends, and those that were scored.

    Args:
        standing: Where the competition stands.
        scored: Names of promotions and blends that are not to be left out.

    Returns:
        What is said of them, and why others are lacking, by what they are.
    """
    known = {
        "promotion": [n for n, search in promotions(standing).items() if search.arms],
        "blend": list(standing.leaderboard.blends),
    }
    found: list[Estimated] = []
    lacking: dict[str, str] = {}
    for kind, names in known.items():
        for name in names:
            if name in names[-LATEST:] or name in scored:
                try:
                    told = estimated(standing, find_merged(standing, f"{kind}:{name}"))
                except InputError as error:  # a member is gone, or predicts no test images
                    lacking[f"a forecast of {name}"] = str(error)
                    continue
                found.append(told)
                if not told.accuracies:
                    lacking[f"a forecast of {name}"] = LABELS_ALONE
    return found, lacking


def estimated(standing: Standing, merged: Merged) -> Estimated:
    """What is said of a promotion or blend.

    Raises:
        InputError: If not all of its models predict these test images.
    """
    test, oof = merged.test(), merged.out_of_fold(standing)
    if standing.test_images and test.images != standing.test_images:
        raise InputError("it predicts other test images than there are now")
    blend = merged.blend()
    probable = blend is None or blend.merge in ("mean", "geometric")
    parts = _parts(standing, merged, blend, test.images)
    return estimated_merged(merged.id, standing.search, standing.metric, oof, test, parts, probable)


def _parts(
    standing: Standing, merged: Merged, blend: Blend | None, images: tuple[str, ...]
) -> Iterator[Part]:
    members = merged.members
    weights = (1 / len(members),) * len(members) if blend is None else blend.weights
    for member, weight in zip(members, weights, strict=True):
        if weight > 0:
            yield Part(weight=weight, trainings=_trainings(standing, member, images))


def _trainings(standing: Standing, member: Member, images: tuple[str, ...]) -> list[Model]:
    if member.search is not None:
        return trainings_of(member.search, member.arm, images, member.view)
    oof, test = member.read(standing)
    assert test is not None
    imported = Model(
        id=member.name,
        fold=0,
        kin=member.name,
        labels=oof.labels,
        holdout=oof.predictions.probabilities,
        test=test.probabilities,
        units=oof.groups,
        certain=oof.predictions.certain or test.certain,
    )
    return [imported]
