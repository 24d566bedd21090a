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
    return Predictions.of_classes(
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
        Predictions.of_classes(
            images=("a",), classes=("b",), probabilities=np.zeros((2, 1), np.float32)
        )


def test_truth_refuses_predictions_of_other_images(tmp_path: Path, folds: Folds) -> None:
    path = folds.write(tmp_path)
    labelled = LabelledImages.of_fold(path, 2)
    rows = folds.held_out(2)
    assert labelled.images == tuple(folds.images[r] for r in rows)
    np.testing.assert_array_equal(labelled.labels, folds.labels[rows])
    example().write(tmp_path / "p.npz")
    with pytest.raises(InputError, match="other images"):
        labelled.judged(tmp_path / "p.npz")


def test_an_array_per_head_is_kept_and_cut(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    told = Predictions(
        images=("a", "b", "c"),
        classes=("x", "y"),
        heads={
            "probabilities": rng.random((3, 2), np.float32),
            "masks": rng.random((3, 4, 5, 2), np.float32),
        },
    )
    told.write(tmp_path / "p.npz")
    again = Predictions.read(tmp_path / "p.npz").of(("c", "a"))
    assert set(again.heads) == {"probabilities", "masks"}
    np.testing.assert_array_equal(again.heads["masks"], told.heads["masks"][[2, 0]])
    np.testing.assert_array_equal(again.probabilities, told.probabilities[[2, 0]])
    other = Predictions(
        images=("a",), classes=("x",), heads={"masks": np.zeros((1, 2), np.float32)}
    )
    with pytest.raises(InputError, match="predictions of masks, not of classes"):
        _ = other.probabilities
    with pytest.raises(InputError, match=r"masks have the shape \(2, 4\)"):
        Predictions(images=("a",), classes=("x",), heads={"masks": np.zeros((2, 4), np.float32)})
    with pytest.raises(InputError, match="at least one head"):
        Predictions(images=("a",), classes=("x",), heads={})


@pytest.mark.parametrize("text", ["", "image,label\na.png,0\n"])
def test_folds_that_were_not_copied_with_their_searches_are_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "folds-f1.csv"
    for _ in range(2):
        with pytest.raises(InputError, match=r"folds-f1\.csv does not hold the folds of its sear"):
            LabelledImages.of_fold(path, 0)
        path.write_text(text)
