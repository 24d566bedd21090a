"""Pictures of finished trials: masks over the images with most wrong pixels."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from mlflow.tracking import MlflowClient
from numpy.typing import NDArray

from results.predictions import Predictions
from results.records.trials import Search
from results.tracking.drawings import SHOWN, drawings, worst
from results.tracking.store import open_client
from results.tracking.tracker import Tracker
from search.competition.images import read_training_image
from spaces.errors import InputError
from tests.mask_promotion import mask_promotion, sure


def wrong_where_odd(row: int, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Right in rows that are even, all bar in the others."""
    return sure(mask if row % 2 == 0 else np.full_like(mask, 2))


@pytest.fixture
def promotion(tmp_path: Path) -> Search:
    runs, _, _ = mask_promotion(tmp_path, wrong_where_odd)
    search = Search.read(runs / "discs/p")
    for trial in search.trials.values():
        path = search.trial_folder(trial) / "holdout.npz"
        search.task.judged(Predictions.read(path), search.truth).write(path)
    return search


def test_the_worst_images_are_drawn_with_both_masks(promotion: Search) -> None:
    trial = next(iter(promotion.trials.values()))
    seen: list[str] = []

    def read(search: Search, name: str) -> NDArray[np.uint8]:
        seen.append(name)
        return read_training_image(search, name)

    predictions = Predictions.read(promotion.trial_folder(trial) / "holdout.npz")
    labels = np.zeros(len(predictions.images), np.int64)
    panels = worst(promotion, labels, predictions, read)
    assert len(seen) == min(SHOWN, 8)
    numbers = [int(Path(name).stem) for name in seen]
    assert all(number % 2 for number in numbers[:4])
    assert len(panels) == 8
    picture, *masks = np.split(panels[0][0], 3, axis=1)
    np.testing.assert_array_equal(picture, read_training_image(promotion, seen[0]))
    assert all(mask.shape == picture.shape for mask in masks)
    assert "wrong" in panels[0][1]
    found = drawings(promotion, trial, read_training_image)
    assert set(found) == {"classes.png", "worst.png"}
    assert all(content.startswith(b"\x89PNG") for content in found.values())


def test_without_images_there_is_the_rest(promotion: Search) -> None:
    trial = next(iter(promotion.trials.values()))

    def gone(search: Search, name: str) -> NDArray[np.uint8]:
        raise InputError(f"image {name!r} is missing")

    for read in (None, gone):
        assert set(drawings(promotion, trial, read)) == {"classes.png"}


def test_mlflow_gets_them(promotion: Search, uri: str, tmp_path: Path) -> None:
    Tracker(promotion.folder, uri, read_training_image).catch_up()
    client: MlflowClient = open_client(uri)
    experiment = client.get_experiment_by_name("discs")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], "tags.why = 'fold'")
    assert len(runs) == 4
    for run in runs:
        names = {file.path for file in client.list_artifacts(run.info.run_id)}
        assert {"worst.png", "classes.png"} <= names
    shutil.rmtree(tmp_path / "discs/train")  # the next look at the ledger does without
    Tracker(promotion.folder, uri, read_training_image).catch_up()
