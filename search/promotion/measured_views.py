"""What views cost models, measured on some held-out images whatever is predicted already."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from results.ensemble.view_costs import ViewCosts
from results.predictions import Predictions, predictions_file
from search.competition.images import prepared_images
from search.options.user_code import network_builder
from search.promotion.ensemble_members import Member
from spaces.errors import InputError
from trainables.data.prepared_images import PreparedImages
from trainables.inference.predict import load_trained
from trainables.inference.view_seconds import view_seconds
from trainables.portable.preparation import Picture
from trainables.tasks.tasks import training_task
from trainables.training.device import Device

IMAGES = 4
"""Held-out images that are looked at."""


def measured_views(
    members: Sequence[Member], views: Sequence[str], model: str, prepare: str
) -> dict[str, ViewCosts]:
    """What it costs each of some models to look at images in views, with all of its trainings.

    Args:
        members: Promoted models.
        views: Those that all of them can look in.
        model: A team's own network, as ``module:function``; empty for timm's.
        prepare: A team's own function of decoded images; empty for none.

    Returns:
        By the models' names.

    Raises:
        InputError: If weights or images are missing, or an image cannot be decoded or prepared.
    """
    found = {}
    for member in members:
        search = member.search
        assert search is not None
        first, *others = member.trials()
        folder, device = search.trial_folder(first), Device.pick(first.config)
        names = Predictions.read(folder / predictions_file("holdout")).images
        rows = np.unique(np.linspace(0, len(names) - 1, IMAGES).astype(int))
        pictures = _pictures(prepared_images(search, first, prepare), [names[r] for r in rows])
        build = network_builder(search, first, model)
        seconds = view_seconds(
            device.placed(load_trained(first.config, folder, len(search.opened.classes), build)),
            first.config,
            pictures,
            ["", *views],
            device,
            training_task(search.opened.task),
        )
        found[member.name] = ViewCosts(
            seconds=(1 + len(others)) * seconds[""],
            views={view: seconds[view] / seconds[""] for view in views},
        )
    return found


def _pictures(images: PreparedImages, names: Sequence[str]) -> list[Picture]:
    found = []
    for name in names:
        try:
            found.append(images.read(name, "holdout"))
        except ValueError as error:
            raise InputError(f"image {name!r}: {error}") from error
    return found
