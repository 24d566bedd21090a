"""How accurate promotions and blends are on the unlabelled test images."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from results.forecast.ensembles import Part, estimated_ensemble
from results.forecast.estimated import Estimated
from results.forecast.methods import Model
from results.forecast.trained_models import trained_model
from results.metrics import Metric
from results.records.labelled_images import LabelledImages
from search.competition.standing import Standing
from search.promotion.ensemble_members import Member, promotions
from search.promotion.merged import Merged, find_merged
from spaces.errors import InputError

LATEST = 5
"""Promotions, and blends, that are looked at; besides those with a public score."""


def estimated_ensembles(
    standing: Standing, metric: Metric, scored: Collection[str]
) -> tuple[list[Estimated], dict[str, str]]:
    """The latest promotions and blends, and those that were scored.

    Args:
        standing: Where the competition stands.
        metric: Of images, or of a sample of their pixels (`Task.example_metric`).
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
                    merged = find_merged(standing, f"{kind}:{name}")
                    found.append(estimated(standing, metric, merged))
                except InputError as error:  # a member is gone, or predicts no test images
                    lacking[f"a forecast of {name}"] = str(error)
    return found, lacking


def estimated(standing: Standing, metric: Metric, merged: Merged) -> Estimated:
    """What is said of a promotion or blend.

    Raises:
        InputError: If not all of its models predict these test images.
    """
    task, truth = standing.task, standing.search.truth
    tested, oof = merged.test(), merged.out_of_fold(standing)
    if tested.images != standing.test_images:
        raise InputError("it predicts other test images than there are now")
    known = task.examples(oof.labels, oof.predictions, truth)
    test = task.probabilities(tested)
    return estimated_ensemble(
        merged.id,
        metric.score(known.labels, known.probabilities),
        test,
        len(test) // len(tested.images),
        _parts(standing, merged),
    )


def _parts(standing: Standing, merged: Merged) -> Iterator[Part]:
    blend, members = merged.blend(), merged.members
    weights = (1 / len(members),) * len(members) if blend is None else blend.weights
    for member, weight in zip(members, weights, strict=True):
        if weight > 0:
            yield Part(weight=weight, trainings=_trainings(standing, member))


def _trainings(standing: Standing, member: Member) -> list[Model]:
    if member.search is None:
        return [_imported(standing, member)]
    labelled: dict[int, LabelledImages] = {}
    found = []
    for trial in member.trials():
        fold = trial.config.run.fold
        if fold not in labelled:
            labelled[fold] = LabelledImages.of_fold(member.search.folds_file, fold)
        images = standing.test_images
        model = trained_model(member.search, trial, labelled[fold], images, member.view)
        if model is None:
            raise InputError(f"{trial.id} predicts other test images than there are now")
        found.append(model)
    return found


def _imported(standing: Standing, member: Member) -> Model:
    oof, test = member.read(standing)
    assert test is not None
    return Model(
        id=member.name,
        fold=0,
        kin=member.name,
        labels=oof.labels,
        holdout=oof.predictions.probabilities,
        test=test.probabilities,
        units=oof.groups,
        certain=oof.predictions.certain or test.certain,
    )
