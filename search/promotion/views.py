"""Predictions of views: computed once with the stored weights of every fold, then kept."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from results.predictions import Predictions, predictions_file
from results.records.trial import Trial
from results.records.trials import Search
from search.competition.images import open_pictures
from search.competition.standing import Standing
from search.options.user_code import network_builder, preparation_of
from search.promotion.ensemble_members import Member
from spaces.errors import InputError, unknown
from trainables.data.image_store import ImageStore
from trainables.inference.predict import load_trained, predict
from trainables.networks.networks import BuildModel
from trainables.portable.preparation import Preparation
from trainables.portable.views import VIEWS
from trainables.tasks.tasks import training_task
from trainables.training.device import Device

PARTS = ("test", "holdout")
"""Of a competition's images."""


def predict_views(
    standing: Standing,
    members: Sequence[Member],
    model: str,
    prepare: str,
    parts: Collection[str] = PARTS,
) -> None:
    """Predicts held-out and test images in every view that has no predictions yet.

    What is done stays, so that an interrupted command goes on where it stopped.

    Args:
        standing: Where the competition stands.
        members: Models, some of which look at images in a view.
        model: A team's own network, as ``module:function``; empty for timm's.
        prepare: A team's own function of decoded images; empty for none.
        parts: Which images.

    Raises:
        InputError: If images were changed, weights are missing, or a view is not for a model.
    """
    wanted = [
        (member.search, trial, member.view)
        for member in members
        if member.search is not None and member.view
        for trial in member.trials()
    ]
    for member in members:
        if member.view:
            check_views([member], [member.view])
    todo = [
        (search, trial, view, missing)
        for search, trial, view in wanted
        if (missing := _missing(search.trial_folder(trial), view, parts))
    ]
    stores: dict[tuple[Preparation, str], ImageStore] = {}
    begun = time.monotonic()
    last = begun
    for done, (search, trial, view, missing) in enumerate(todo):
        preparation = preparation_of(trial.config, prepare, trial.id)
        seen = preparation, trial.config.data.boxes
        if seen not in stores:
            stores[seen] = open_pictures(standing, *seen, print)[1]
        if done and time.monotonic() - last >= 1:
            last = time.monotonic()
            left = (last - begun) / done * (len(todo) - done)
            print(f"predicting views: {done} of {len(todo)}, {left:.0f} s left", flush=True)
        build = network_builder(search, trial, model)
        _predict(standing, stores[seen], search, trial, view, build, missing)


def usable_views(members: Sequence[Member]) -> list[str]:
    """Views that all promoted models of some can look at their images in."""

    def usable(view: str) -> bool:
        try:
            check_views(members, [view])
        except InputError:
            return False
        return True

    return [view for view in VIEWS if usable(view)]


def check_views(members: Sequence[Member], views: Sequence[str]) -> None:
    """Raises InputError for a name of no view, or a view that is not for a model."""
    for view in views:
        if view not in VIEWS:
            raise unknown("view", view, VIEWS, "views")
        for member in members:
            for trial in member.trials():
                assert member.search is not None
                training_task(member.search.opened.task).check_view(view, trial.config)


def _missing(folder: Path, view: str, parts: Collection[str]) -> list[str]:
    """Parts that are predicted as they are, and not in the view."""
    return [
        part
        for part in parts
        if (folder / predictions_file(part)).exists()
        and not (folder / predictions_file(part, view)).exists()
    ]


def _predict(
    standing: Standing,
    store: ImageStore,
    search: Search,
    trial: Trial,
    view: str,
    build: BuildModel,
    parts: Sequence[str],
) -> None:
    config, classes, folder = trial.config, standing.classes, search.trial_folder(trial)
    task = training_task(search.opened.task)
    device = Device.pick(config)
    model = device.placed(load_trained(config, folder, len(classes), build))
    row_of = {image: row for row, image in enumerate(store.images)}
    for part in parts:
        images = Predictions.read(folder / predictions_file(part)).images
        rows = np.array([row_of[image] for image in images])
        found = predict(model, config, store, rows, device, task, view=view)
        heads = task.heads(found, store.sizes[rows])
        Predictions(images=images, classes=classes, heads=heads).write(
            folder / predictions_file(part, view)
        )
