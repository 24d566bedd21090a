"""Views of test-time augmentation."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from results.predictions import MASKS
from spaces.errors import InputError
from spaces.sections.data import Data, Windows
from spaces.trial_config import TrialConfig
from trainables.inference.predict import predict
from trainables.inference.view_seconds import TIMES, view_seconds
from trainables.inference.views import look, look_at
from trainables.portable.images import resize
from trainables.portable.views import VIEWS, seen_size
from trainables.portable.windows import size_at
from trainables.tasks.tasks import TRAINING_TASKS
from trainables.training.context import TrainingContext
from trainables.training.device import Device


@pytest.fixture
def picture() -> np.ndarray:
    """A dark picture with one bright spot right of and above the middle."""
    found = np.zeros((41, 41, 3), np.uint8)
    found[14:17, 29:32] = 255
    return found


def spot(picture: np.ndarray) -> tuple[float, float]:
    """Row and column of the centre of what is bright."""
    light = picture[..., 0].astype(float)
    rows, columns = np.indices(light.shape)
    return float((rows * light).sum() / light.sum()), float((columns * light).sum() / light.sum())


@pytest.mark.parametrize(
    ("view", "place"),
    [
        ("hflip", (15, 10)),
        ("vflip", (25, 30)),
        ("left", (15, 30 - 0.06 * 41)),
        ("right", (15, 30 + 0.06 * 41)),
        ("up", (15 - 0.06 * 41, 30)),
        ("down", (15 + 0.06 * 41, 30)),
        ("zoom", (20 - 5 / 0.85, 20 + 10 / 0.85)),
        ("wide", (20 - 5 * 0.85, 20 + 10 * 0.85)),
        # Counter-clockwise: (right, up) = (10, 5) turns towards the top.
        ("rotate+10", (20 - 5 * 0.985 - 10 * 0.174, 20 + 10 * 0.985 - 5 * 0.174)),
        ("rotate-10", (20 - 5 * 0.985 + 10 * 0.174, 20 + 10 * 0.985 + 5 * 0.174)),
    ],
)
def test_where_a_spot_goes(picture: np.ndarray, view: str, place: tuple[float, float]) -> None:
    assert spot(VIEWS[view].move(picture)) == pytest.approx(place, abs=0.3)


@pytest.mark.parametrize("view", [name for name, view in VIEWS.items() if not view.of_windows])
def test_views_have_the_size_that_the_network_sees(picture: np.ndarray, view: str) -> None:
    data = Data(size=(64, 96))
    found = look(picture, view, data)
    assert found.shape == (*seen_size(view, data.prediction_size), 3)
    assert found.dtype == np.uint8
    plain = look(picture, "", data)
    assert found.shape != plain.shape or (found != plain).any()


def test_whole_images_are_seen_at_other_scales_in_steps() -> None:
    size = (96, 128)
    sizes = {view: seen_size(view, size) for view in ("", "hflip", "scale_0.5", "scale_0.75")}
    assert sizes == {
        "": (96, 128),
        "hflip": (96, 128),
        "scale_0.5": (64, 64),  # halves of 96 are no steps
        "scale_0.75": (64, 96),
    }
    assert seen_size("hflip_scale_1.25", size) == (128, 160)


def test_images_in_windows_are_scaled_themselves(picture: np.ndarray) -> None:
    scaled = {name: view.scale for name, view in VIEWS.items() if view.scale != 1}
    assert len(scaled) == 12
    for view, scale in scaled.items():
        found = look_at(picture, view, Windows())
        assert found.shape == (*size_at(41, 41, scale), 3)
        row, column = spot(found)
        flipped = (10 if view.startswith("h") else 30, 25 if view.startswith("v") else 15)
        assert column / found.shape[1] == pytest.approx(flipped[0] / 41, abs=0.03)
        assert row / found.shape[0] == pytest.approx(flipped[1] / 41, abs=0.03)


def test_without_a_view_the_image_is_only_resized(picture: np.ndarray) -> None:
    np.testing.assert_array_equal(look(picture, "", Data(size=(24, 24))), resize(picture, 24, 24))


OWN = {"size": (32, 32), "framing": "windows", "window_overlap": 0.5, "window_weights": "cut"}


@pytest.mark.parametrize(
    ("task", "view", "settings", "words"),
    [
        (
            "classification",
            "hflip_scale_1.25",
            {},
            "scales and windows are for masks; zoom",
        ),
        ("segmentation", "rotate+5", {}, r"unknown view 'rotate\+5' \(in views=.*, of masks"),
        ("segmentation", "scale_0.75", {"size": (32, 32)}, "32x32 is the same in multiples of 32"),
        (
            "segmentation",
            "scale_0.75",
            {"size": (224, 224), "backbone": "swin_tiny_patch4_window7_224"},
            "swin_tiny_patch4_window7_224 takes images of one size only",
        ),
        ("segmentation", "scale_0.75", {"size": (128, 128)}, ""),
        ("segmentation", "scale_0.75", {"size": (32, 32), "framing": "windows"}, ""),
        ("multilabel_segmentation", "rotate90", {}, ""),
        ("classification", "overlap_0.5", {}, "scales and windows are for masks"),
        ("segmentation", "overlap_0.5", {}, "this model sees whole images; windows are for data"),
        ("segmentation", "windows_cut", {}, "this model sees whole images; windows are for data"),
        ("segmentation", "overlap_0.5", OWN, r"anyhow \(window_overlap=0.5, window_weights=cut\)"),
        ("segmentation", "windows_cut", OWN, "lie and count like that anyhow"),
        ("segmentation", "windows_flat", OWN, ""),
        ("segmentation", "overlap_0.75", OWN, ""),
        # Nothing is cut off where nothing overlaps.
        ("segmentation", "windows_flat", {**OWN, "window_overlap": 0.0}, "anyhow"),
        ("segmentation", "windows_gaussian", {**OWN, "window_overlap": 0.0}, ""),
    ],
)
def test_views_that_a_model_cannot_see_are_refused(
    task: str, view: str, settings: dict[str, Any], words: str
) -> None:
    model = {} if task == "classification" else {"model": "smp", "shape": "squash"}
    if settings.get("framing"):
        model["shape"] = "native"
    config = TrialConfig.of(**model, **settings)
    if not words:
        TRAINING_TASKS[task].check_view(view, config)
        return
    with pytest.raises(InputError, match=words):
        TRAINING_TASKS[task].check_view(view, config)


class Middle(torch.nn.Module):
    """Says that the upper half of what it sees is of the first class, and counts what it sees."""

    windows = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.windows += len(images)
        found = torch.zeros(len(images), 3, *images.shape[2:])
        found[:, 0, : images.shape[2] // 2] = 1
        return found


def test_windows_of_a_view_are_those_of_a_model_that_has_them_itself(
    native: TrainingContext, windows: TrialConfig
) -> None:
    def seen(config: TrialConfig, view: str = "") -> tuple[list[NDArray[np.uint8]], int]:
        network, rows, device = Middle(), np.arange(2), Device.pick(config)
        told = predict(network, config, native.store, rows, device, native.task, view=view)
        return list(told[MASKS]), network.windows

    plain, few = seen(windows)
    for view, setting in (
        ("overlap_0.75", {"window_overlap": 0.75}),
        ("windows_cut", {"window_weights": "cut"}),
        ("windows_flat", {"window_weights": "flat"}),
    ):
        found, count = seen(windows, view)
        expected, same = seen(windows.replace(**setting))
        assert count == same
        assert (count > few) == (view == "overlap_0.75")
        for mask, wanted, other in zip(found, expected, plain, strict=True):
            np.testing.assert_array_equal(mask, wanted)
            assert (mask != other).any()


class Slow(Middle):
    """Takes its time for every window."""

    pause = 0.004

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        time.sleep(self.pause * len(images))
        return super().forward(images)


def test_seconds_of_views_are_measured(native: TrainingContext, windows: TrialConfig) -> None:
    pictures = [native.store.pixels[row] for row in range(2)]
    network, device = Slow(), Device.pick(windows)
    found = view_seconds(network, windows, pictures, ["", "overlap_0.75"], device, native.task)
    assert list(found) == ["", "overlap_0.75"]
    assert 0 < found[""] < found["overlap_0.75"]
    assert sum(found.values()) * len(pictures) * TIMES >= Slow.pause * network.windows
