"""Views of test-time augmentation."""

from __future__ import annotations

import numpy as np
import pytest

from spaces.sections.data import Data
from trainables.inference.views import VIEWS, look
from trainables.portable.images import resize


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
    assert spot(VIEWS[view](picture)) == pytest.approx(place, abs=0.3)


@pytest.mark.parametrize("view", VIEWS)
def test_views_have_the_size_that_the_network_sees(picture: np.ndarray, view: str) -> None:
    found = look(picture, view, Data(size=(24, 32)))
    assert found.shape == (24, 32, 3)
    assert found.dtype == np.uint8
    assert (found != look(picture, "", Data(size=(24, 32)))).any()


def test_without_a_view_the_image_is_only_resized(picture: np.ndarray) -> None:
    np.testing.assert_array_equal(look(picture, "", Data(size=(24, 24))), resize(picture, 24, 24))
