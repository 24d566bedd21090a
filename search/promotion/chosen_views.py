"""``views=auto``: every view that models can look in is tried, and those that pay are taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from results.ensemble.out_of_fold import OutOfFold
from results.ensemble.stack import PredictionStack
from results.ensemble.view_choice import ViewChoice, choose_views, mean_with
from results.ensemble.view_costs import ViewCosts
from results.predictions import Predictions, predictions_file
from search.competition.standing import Standing
from search.promotion.ensemble_members import Member
from search.promotion.measured_views import measured_views
from search.promotion.views import predict_views, usable_views
from spaces.errors import InputError

AUTO = "auto"

KEPT = 4
"""Views of masks, those that gain most for their time, whose predictions are kept until views are
chosen: each takes as much room as all that is there."""

Read = Mapping[str, tuple[OutOfFold, Predictions | None]]
"""Out-of-fold and test predictions, by name of the model."""


def chosen_views(
    standing: Standing, members: Sequence[Member], read: Read, model: str, prepare: str
) -> tuple[ViewChoice, dict[str, ViewCosts]]:
    """Tries views on held-out images.

    Args:
        standing: Where the competition stands.
        members: Models as they are.
        read: Their predictions.
        model: A team's own network, as ``module:function``; empty for timm's.
        prepare: A team's own function of decoded images; empty for none.

    Returns:
        The choice, and what views cost each model.

    Raises:
        InputError: If no model can be asked, weights or images are missing, or models cannot be
            blended.
    """
    own = [member for member in members if member.search is not None and not member.view]
    views = usable_views(own)
    if not own or not views:
        raise InputError("views=auto: a promotion is needed, whose networks can look once more")
    task, truth = standing.task, standing.search.truth
    if len(members) > 1:  # what cannot be blended is told before hours of predicting
        PredictionStack.of(read, task, truth)
    print("views=auto: how long views take is measured on some held-out images", flush=True)
    costs = measured_views(own, views, model, prepare)
    metric, share = task.example_metric(standing.metric, truth), len(own) / len(members)
    together = ViewCosts.together(costs.values())
    found: dict[str, NDArray[np.float32]] = {}
    ahead: dict[str, float] = {}
    made: dict[str, set[Path]] = {}
    for number, view in enumerate(views, start=1):
        print(f"views=auto: {view}, {number} of {len(views)}, on held-out images", flush=True)
        seen = [member.seen(view) for member in own]
        before = _files(seen)
        predict_views(standing, seen, model, prepare, parts=("holdout",))
        told = {**read, **{member.name: member.read(standing) for member in seen}}
        stack = PredictionStack.of(told, task, truth)
        found[view] = stack.oof[len(members) :].mean(axis=0)
        plain = stack.oof[: len(members)].mean(axis=0)
        if truth is not None:
            made[view] = _files(seen) - before
            mean = mean_with(plain, [found[view]], share)
            scores = [metric.score(stack.labels, predicted) for predicted in (mean, plain)]
            ahead[view] = metric.gain(*scores) / together.views[view]
            _forget(made, sorted(made, key=lambda view: -ahead[view])[KEPT:])
    choice = choose_views(metric, stack, plain, found, together, share)
    _forget(made, set(made) - set(choice.views))
    return choice, costs


def _forget(made: dict[str, set[Path]], views: Collection[str]) -> None:
    """Removes predictions in some views that were made to try them."""
    for view in views:
        for path in made.pop(view):
            path.unlink()


def _files(members: Sequence[Member]) -> set[Path]:
    """Predictions of held-out images in views that are there."""
    places = [
        member.search.trial_folder(trial) / predictions_file("holdout", member.view)
        for member in members
        if member.search is not None
        for trial in member.trials()
    ]
    return {path for path in places if path.exists()}
