"""Preprocessing: by hand and by other libraries, and the same in training and prediction."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from results.masks.planes import Planes
from results.predictions import MASKS
from spaces.augmentation.operations import OPERATIONS
from spaces.augmentation.policy import AugPolicy, Choice, Stage
from spaces.augmentation.stress import Stress
from spaces.errors import InputError
from spaces.sections import data as settings
from spaces.trial_config import TrialConfig
from trainables.augment.stressed import Stressed
from trainables.data.image_store import ImageStore
from trainables.data.loader import evaluation_loader
from trainables.data.training_views import TrainingViews
from trainables.inference.predict import predict
from trainables.portable.images import resize
from trainables.portable.mask_predictor import MaskPredictor
from trainables.portable.predictor import Look, Predictor
from trainables.portable.preparation import Preparation
from trainables.portable.preprocessing import PREPROCESSINGS
from trainables.tasks.tasks import TRAINING_TASKS
from trainables.training.device import Device

Picture = NDArray[np.uint8]
KINDS = [name for name in PREPROCESSINGS if name != "none"]


@pytest.fixture(scope="module")
def picture() -> Picture:
    """Colours of a low contrast, read-only as the store's."""
    rng = np.random.default_rng(0)
    small = rng.integers(60, 140, (9, 9, 3), dtype=np.uint8)
    found = np.asarray(cv2.resize(small, (44, 44)), np.uint8)
    found.flags.writeable = False
    return found


def test_what_can_be_asked_for_can_be_done() -> None:
    assert tuple(PREPROCESSINGS) == settings.PREPROCESSINGS
    with pytest.raises(InputError, match="did you mean clahe"):
        TrialConfig.of(preprocess="clahee")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(44, 44), (8, 100), (1, 1)])
def test_pictures_stay_pictures(kind: str, shape: tuple[int, int], picture: Picture) -> None:
    seen = np.ascontiguousarray(np.resize(picture, (*shape, 3)))
    before = seen.copy()
    found = PREPROCESSINGS[kind](seen)
    assert found.shape == seen.shape
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(PREPROCESSINGS[kind](seen), found)
    np.testing.assert_array_equal(seen, before)
    assert (PREPROCESSINGS[kind](picture) != picture).any()


def test_a_grey_world_by_hand() -> None:
    """Means 60, 30 and 90 become 60 each; a channel that is black stays so."""
    tinted = np.full((4, 4, 3), (60, 30, 90), np.uint8)
    assert (PREPROCESSINGS["gray_world"](tinted) == 60).all()
    tinted[:2], tinted[2:] = (100, 40, 0), (20, 10, 0)
    found = PREPROCESSINGS["gray_world"](tinted)  # means 60, 25 and 0, together 28.33
    assert found[0, 0].tolist() == [47, 45, 0]
    assert found[3, 3].tolist() == [9, 11, 0]
    bright = np.array(
        [[[255, 10, 10], [5, 10, 10]]], np.uint8
    )  # means 130, 10, 10: gain 5 of green
    assert PREPROCESSINGS["gray_world"](bright)[0, 0].tolist() == [98, 50, 50]
    assert not PREPROCESSINGS["gray_world"](np.zeros((2, 2, 3), np.uint8)).any()


def test_grey_is_pillow_s(picture: Picture) -> None:
    found = PREPROCESSINGS["gray"](picture)
    expected = np.asarray(Image.fromarray(picture).convert("L")).astype(int)
    for channel in range(3):
        assert np.abs(found[..., channel] - expected).max() <= 1


def test_clahe_equalises_lightness_alone(picture: Picture) -> None:
    found = PREPROCESSINGS["clahe"](picture)
    ours, theirs = (cv2.cvtColor(p, cv2.COLOR_RGB2LAB).astype(int) for p in (found, picture))
    assert ours[..., 0].std() > 1.3 * theirs[..., 0].std()
    assert np.abs(ours[..., 1:] - theirs[..., 1:]).mean() < 3  # but for what no colour can show


def test_sharpening_lifts_edges_and_leaves_planes() -> None:
    step = np.full((9, 40, 3), 100, np.uint8)
    step[:, 20:] = 150
    found = PREPROCESSINGS["sharpen"](step)
    assert (found[:, :16] == 100).all()
    assert (found[:, 24:] == 150).all()
    assert found[4, 19, 0] < 100 < 150 < found[4, 20, 0]


@pytest.mark.parametrize("kind", PREPROCESSINGS)
def test_training_and_prediction_see_the_same(kind: str, store: ImageStore) -> None:
    config = TrialConfig.of(size=(32, 32), store_side=44, preprocess=kind)
    rows = [3, 700, 1500]
    (batch,) = list(evaluation_loader(config, store, rows, 0))
    views = TrainingViews(config, store.side)
    mask = np.arange(44 * 44, dtype=np.uint8).reshape(44, 44)
    plain = TrainingViews(config.replace(preprocess="none"), store.side)
    for row, seen in zip(rows, batch.pictures.numpy(), strict=True):
        trained = views(store.pixels[row], mask, 1, row)
        np.testing.assert_array_equal(trained["image"], seen)
        expected = resize(PREPROCESSINGS[kind](np.asarray(store.pixels[row])), 32, 32)
        np.testing.assert_array_equal(seen, expected)
        still = plain(store.pixels[row], mask, 1, row)["mask"]
        np.testing.assert_array_equal(trained["mask"], still)  # nothing happens to masks


def test_augmentation_comes_after_it(store: ImageStore) -> None:
    """What is grey gets its noise in colour."""
    noise = Stage(choices=(Choice(operation="noise", limit=OPERATIONS["noise"].at(1.0)),))
    config = TrialConfig.of(
        size=(32, 32), store_side=44, preprocess="gray", policy=AugPolicy(stages=(noise,))
    )
    view = TrainingViews(config, store.side)(store.pixels[3], None, 1, 3)["image"]
    assert (view.max(axis=2) != view.min(axis=2)).any()


def test_a_stress_comes_before_it(store: ImageStore) -> None:
    """It stands for another camera, whose pictures would be preprocessed, too."""
    stage = Stage(choices=(Choice(operation="blur", limit=1.0),))
    stress = Stress(
        policy=AugPolicy(stages=(stage,)),
        side=44,
        before=0.9,
        after=0.6,
        error=0.02,
        images=100,
        data="d",
    )
    config = TrialConfig.of(size=(32, 32), store_side=44, preprocess="clahe")
    rows = range(6)
    (batch,) = list(evaluation_loader(config, store, rows, 0, stress=stress))
    moved, clahe = Stressed(stress.policy, 44), PREPROCESSINGS["clahe"]
    pictures = [np.asarray(store.pixels[row]) for row in rows]
    expected = [resize(clahe(moved.moved(p, row)), 32, 32) for row, p in enumerate(pictures)]
    np.testing.assert_array_equal(batch.pictures.numpy(), expected)
    other = [moved.view(clahe(p), row, (32, 32)) for row, p in enumerate(pictures)]
    assert (np.stack(expected) != np.stack(other)).any()


def test_windows_are_cut_from_what_was_preprocessed() -> None:
    pixels = Planes.of([np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)])

    class Store:
        def __init__(self, pixels: Planes) -> None:
            self.pixels = pixels

    class Mean(torch.nn.Module):
        """Probabilities of two classes by the mean of the channels."""

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.stack([images.mean(dim=1), -images.mean(dim=1)], dim=1)

    config = TrialConfig.of(framing="windows", shape="native", size=32, preprocess="clahe")

    def ask(config: TrialConfig, pixels: Planes) -> NDArray[np.uint8]:
        task, device = TRAINING_TASKS["segmentation"], Device.pick(config)
        store: Any = Store(pixels)
        told = predict(Mean(), config, store, np.array([0]), device, task)
        return np.asarray(told[MASKS][0])

    found = ask(config, pixels)
    done = Planes.of([PREPROCESSINGS["clahe"](pixels[0])])
    plain = config.replace(preprocess="none")
    np.testing.assert_array_equal(found, ask(plain, done))
    assert (found != ask(plain, pixels)).any()


@pytest.mark.parametrize("kind", [Predictor, MaskPredictor])
def test_an_export_prepares_once_and_preprocesses_for_each(
    kind: type[Predictor], picture: Picture
) -> None:
    predictor, side = object.__new__(kind), Preparation(side=24)
    predictor.looks = [Look(side, name, (16, 16)) for name in ("none", "gray", "gray")]
    found = predictor.prepared(picture)
    assert set(found) == {(side, "none"), (side, "gray")}
    np.testing.assert_array_equal(found[side, "none"], side(picture))
    np.testing.assert_array_equal(found[side, "gray"], PREPROCESSINGS["gray"](side(picture)))


def test_one_store_does_for_all() -> None:
    """It holds what was not preprocessed: its key knows nothing of it, and a search may choose."""
    kinds = [TrialConfig.of(preprocess=kind).data.to_json() for kind in PREPROCESSINGS]
    assert len({str(Preparation.of(kind).key) for kind in kinds}) == 1
    assert len({TrialConfig.of(preprocess=kind).digest for kind in PREPROCESSINGS}) == 5
