"""Stored predictions and the truth they are held against."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from results.predictions import Predictions
from results.records.labelled_images import LabelledImages
from spaces.errors import InputError
from trainables.data.folds import Folds


def example() -> Predictions:
    return Predictions(
        images=("a.png", "ü.png"),
        classes=("cat", "dog"),
        probabilities=np.array([[0.25, 0.75], [1, 0]], np.float32),
    )


def test_round_trip(tmp_path: Path) -> None:
    example().write(tmp_path / "deep" / "p.npz")
    again = Predictions.read(tmp_path / "deep" / "p.npz")
    assert again.images == example().images
    assert again.classes == example().classes
    np.testing.assert_array_equal(again.probabilities, example().probabilities)
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["p.npz"]


def test_damage_is_told(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    with pytest.raises(InputError, match="does not hold predictions"):
        Predictions.read(path)
    example().write(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match="does not hold predictions"):
        Predictions.read(path)
    with pytest.raises(InputError, match="shape"):
        Predictions(images=("a",), classes=("b",), probabilities=np.zeros((2, 1), np.float32))


def test_truth_refuses_predictions_of_other_images(tmp_path: Path, folds: Folds) -> None:
    path = folds.write(tmp_path)
    labelled = LabelledImages.of_fold(path, 2)
    rows = folds.held_out(2)
    assert labelled.images == tuple(folds.images[r] for r in rows)
    np.testing.assert_array_equal(labelled.labels, folds.labels[rows])
    example().write(tmp_path / "p.npz")
    with pytest.raises(InputError, match="other images"):
        labelled.probabilities(tmp_path / "p.npz")
