"""Windows: crops of images at their own sizes, and predictions put together from them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from results.masks.counts import VOID
from results.masks.label_map import label_map
from spaces.errors import InputError
from spaces.sections.data import Windows
from spaces.trial_config import TrialConfig
from trainables.data.crops import Cropper
from trainables.portable.windows import predicted, starts, weights_of


@given(st.integers(1, 400), st.integers(8, 90), st.floats(0, 0.9))
def test_windows_cover_a_side_with_at_least_the_overlap(
    side: int, window: int, overlap: float
) -> None:
    if side < window:
        side = window
    found = starts(side, window, overlap)
    assert found[0] == 0
    assert found[-1] + window == side
    steps = np.diff(found)
    assert (steps <= np.ceil(window * (1 - overlap)) + 1).all()
    assert (steps > 0).all()


@pytest.mark.parametrize("how", ["gaussian", "flat", "cut"])
def test_weights_are_above_nothing_and_largest_in_the_middle(how: str) -> None:
    weights = weights_of(how, 16, 24, 0.25)
    assert weights.shape == (16, 24)
    assert weights.min() > 0
    assert weights[8, 12] == pytest.approx(1, abs=0.05)
    assert weights[0, 0] <= weights[8, 12]
    np.testing.assert_allclose(weights, weights[::-1, ::-1])


def brightness(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A network of which a pixel depends on nothing but itself."""
    share = pictures[..., 0].astype(np.float32) / 255
    return np.stack([1 - share, share], axis=1)


@pytest.mark.parametrize("how", ["gaussian", "flat", "cut"])
@pytest.mark.parametrize("size", [(70, 101), (32, 32), (20, 50), (5, 3)])
def test_windows_put_together_are_what_one_pass_gives(how: str, size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    found = predicted(
        picture, brightness, window=(32, 32), scale=1.0, overlap=0.3, how=how, batch=3
    )
    once = np.rint(brightness(picture[None])[0] * 255).transpose(1, 2, 0)
    np.testing.assert_allclose(found.astype(float), once, atol=1)


def test_a_scale_gives_predictions_at_that_scale() -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:, 30:] = 255
    found = predicted(
        picture, brightness, window=(32, 32), scale=0.5, overlap=0.5, how="gaussian", batch=8
    )
    assert found.shape == (20, 30, 2)
    labels = label_map(found, 40, 60)
    assert (labels[:, :29] == 0).all()
    assert (labels[:, 31:] == 1).all()


def settings(**given: object) -> Windows:
    return Windows(size=(32, 32), **given)  # type: ignore[arg-type]


def painted(height: int, width: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A picture whose red is the row, whose green is the column, and a mask of the two."""
    rows, columns = np.mgrid[:height, :width].astype(np.uint8)
    picture = np.stack([rows, columns, np.zeros_like(rows)], axis=2)
    return picture, np.asarray((rows > columns).astype(np.uint8))


@pytest.mark.parametrize("size", [(50, 80), (20, 90), (10, 12)])
def test_a_crop_and_its_mask_are_of_the_same_place(size: tuple[int, int]) -> None:
    picture, mask = painted(*size)
    crop = Cropper(settings(), seed=3)
    places = set()
    for epoch in range(1, 6):
        seen, known = crop(picture, mask, epoch, 7)
        assert seen.shape == (32, 32, 3)
        inside = known != VOID
        assert inside.sum() == min(32, size[0]) * min(32, size[1])
        right = (seen[..., 0] > seen[..., 1]).astype(np.uint8)
        np.testing.assert_array_equal(known[inside], right[inside])
        places.add((int(seen[0, 0, 0]), int(seen[0, 0, 1])))
    if min(size) > 40:
        assert len(places) > 1
    once, again = crop(picture, mask, 2, 7), Cropper(settings(), seed=3)(picture, mask, 2, 7)
    np.testing.assert_array_equal(once[0], again[0])


def test_a_crop_at_a_scale_sees_more() -> None:
    picture, mask = painted(80, 100)
    seen, known = Cropper(settings(window_scale=0.5), seed=0)(picture, mask, 1, 0)
    spread = int(seen[..., 0].max()) - int(seen[..., 0].min())
    assert 56 <= spread <= 66
    assert (known != VOID).all()


def test_crops_that_hold_a_class_that_is_in_the_image() -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    mask = np.zeros((200, 200), np.uint8)
    mask[150:152, 20:22] = 1
    present = Cropper(settings(window_crop="present"), seed=0)
    hits = [(present(picture, mask, 1, row)[1] == 1).any() for row in range(40)]
    assert 10 <= sum(hits) <= 32  # half of them by the draw of the class
    anywhere = Cropper(settings(), seed=0)
    assert sum((anywhere(picture, mask, 1, row)[1] == 1).any() for row in range(40)) < 10
    void = np.full((200, 200), VOID, np.uint8)
    assert (present(picture, void, 1, 0)[1] == VOID).all()


def test_windows_are_for_images_at_their_own_sizes() -> None:
    found = TrialConfig.of(framing="windows", shape="native", size=64, window_overlap=0.5)
    assert isinstance(found.data, Windows)
    assert TrialConfig.from_json(found.to_json()) == found
    with pytest.raises(InputError, match="shape must be native where windows"):
        TrialConfig.of(shape="native")
    with pytest.raises(InputError, match="window_overlap must be within"):
        TrialConfig.of(framing="windows", shape="native", window_overlap=1.0)


MEMORY = """
import resource, sys, numpy as np
from results.masks.merging import Blend
from trainables.portable.mask_predictor import blended, mean_of, spooled
from trainables.portable.windows import predicted
classes, height, width = map(int, sys.argv[1:])
def forward(cut):
    share = cut[..., 0].astype(np.float32) / 255
    return np.stack([share] * classes, axis=1)
picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
def models():
    for _ in range(2):
        yield predicted(
            picture, forward, window=(512, 512), scale=1.0, overlap=0.25, how="gaussian", batch=2
        )
views = spooled(mean_of(spooled(models())) for _ in range(2))
blended(views, Blend.mean(2), False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize(
    ("classes", "height", "mib"),
    [pytest.param(2, 750, 150, marks=pytest.mark.slow), (20, 750, 512)],
)
def test_large_images_take_little_memory(classes: int, height: int, mib: int) -> None:
    """Two models and views on three megapixels; of twelve 2 GiB are the limit."""
    arguments = [str(number) for number in (classes, height, 4000)]
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, *arguments], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < mib * 1024  # KiB
