"""CutMix inside of boxes: shares by hand, and boxes that go where their images go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from spaces.augmentation.policy import AugPolicy, Choice, Stage
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from trainables.data.focus import around, boxes_in_store, marked
from trainables.data.folds import Folds
from trainables.data.image_store import ImageStore
from trainables.data.loader import TrainingLoader
from trainables.data.training_set import TrainingSet
from trainables.portable.preparation import Box, Preparation
from trainables.training.box_cutmix import Part, mixed
from trainables.training.context import TrainingContext
from trainables.training.fit import fit
from trainables.training.mixings import MIXINGS


def two() -> torch.Tensor:
    """An image of ones, and one whose columns count."""
    counted = torch.arange(8.0).expand(8, 8)
    return torch.stack([torch.ones(3, 8, 8), counted.expand(3, 8, 8)])


def test_parts_and_shares_by_hand() -> None:
    """A quarter of 4 x 4 pixels gets the first quarter, 4 x 2, of what is 8 x 4 pixels large."""
    images, targets = two(), torch.eye(2)
    boxes = torch.tensor([[2, 2, 6, 6], [0, 4, 8, 8]])
    seen, wanted = mixed(images, targets, boxes, (0.0, 0.0, 0.5, 0.5))
    torch.testing.assert_close(images, two())
    expected = two()
    expected[0, :, 2:4, 2:4] = torch.tensor([0.5, 2.5])  # columns 0 to 3 in two
    expected[1, :, 4:6, 0:4] = 1
    torch.testing.assert_close(seen, expected)
    torch.testing.assert_close(wanted, torch.tensor([[0.75, 0.25], [0.25, 0.75]]))


@pytest.mark.parametrize(
    ("part", "shares"),
    [
        ((0.0, 0.0, 1.0, 1.0), (1.0, 1.0)),  # all of a box
        ((0.5, 0.0, 1.0, 1.0), (0.5, 3 / 9)),  # 1.5 of 3 columns is 2, which leaves 1
        ((0.0, 0.0, 0.5, 0.5), (0.25, 4 / 9)),
        ((0.5, 0.5, 0.5, 1.0), (0.0, 0.0)),
        ((0.0, 0.0, 0.1, 1.0), (0.0, 0.0)),  # less than half a pixel of either
    ],
)
def test_a_label_counts_by_the_pixels_of_its_box(part: Part, shares: tuple[float, ...]) -> None:
    boxes = torch.tensor([[2, 2, 6, 6], [0, 0, 3, 3]])
    seen, wanted = mixed(two(), torch.eye(2), boxes, part)
    first, second = shares
    torch.testing.assert_close(
        wanted, torch.tensor([[1 - first, first], [second, 1 - second]]), atol=1e-6, rtol=0
    )
    outside = torch.ones(8, 8, dtype=torch.bool)
    outside[2:6, 2:6] = False
    assert (seen[0][:, outside] == 1).all()
    assert torch.equal(seen[1, :, 3:], two()[1, :, 3:])


def test_where_nothing_is_left_of_a_box_nothing_is_mixed() -> None:
    boxes = torch.tensor([[0, 0, 0, 0], [0, 0, 8, 8]])
    seen, wanted = mixed(two(), torch.eye(2), boxes, (0.0, 0.0, 1.0, 1.0))
    torch.testing.assert_close(seen, two())
    torch.testing.assert_close(wanted, torch.eye(2))


def test_so_much_is_covered_as_in_cutmix() -> None:
    """With alpha 1, E[(s - s^2 / 4)^2] of a box, s^2 being uniform: 1/2 - 1/5 + 1/48 = 0.32."""
    config = TrialConfig.of(mix="cutmix_box", mix_alpha=1.0, batch=2)
    mix = MIXINGS.of(config.mix)(config, torch.nn.Identity())
    images, boxes = torch.zeros(2, 3, 64, 64), torch.tensor([[0, 0, 64, 64]] * 2)
    np.random.seed(0)
    shares = [float(mix(images, torch.eye(2), boxes)[1][0, 1]) for _ in range(400)]
    assert np.mean(shares) == pytest.approx(0.32, abs=0.04)
    rare = config.replace(mix_probability=0.3)
    mix = MIXINGS.of(rare.mix)(rare, torch.nn.Identity())
    changed = [bool(mix(images, torch.eye(2), boxes)[1][0, 1] > 0) for _ in range(100)]
    assert 10 < sum(changed) < 50


@pytest.mark.parametrize("shape", ["squash", "pad", "crop"])
@pytest.mark.parametrize("proportions", [(1, 1), (3, 4)])
@pytest.mark.parametrize(("height", "width"), [(60, 200), (200, 60), (90, 90)])
def test_boxes_are_where_their_pixels_are_stored(
    shape: str, proportions: tuple[int, int], height: int, width: int
) -> None:
    preparation = Preparation(side=80, shape=shape, proportions=proportions)
    for box in ((10, 15, 40, 50), (0, 0, width, height), (width - 25, height - 30, width, height)):
        picture = np.zeros((height, width, 3), np.uint8)
        left, top, right, bottom = box
        picture[top:bottom, left:right] = 255
        seen = around((preparation(picture)[..., 0] > 127).astype(np.uint8))
        found = preparation.place(box, height, width)
        if seen != (0, 0, 0, 0):  # where nothing is, it was cropped away
            assert np.abs(np.subtract(found, seen)).max() <= 1
        else:
            assert found[0] == found[2] or found[1] == found[3]


def loaded(policy: AugPolicy, store: ImageStore, folds: Folds, box: Box) -> NDArray[np.int64]:
    """Boxes of a batch of images that are 44 pixels wide and high, seen at 22."""
    config = TrialConfig.of(
        size=22, store_side=44, batch=16, mix="cutmix_box", policy=policy, focus="boxes-0.csv"
    )
    rows = folds.trained_on(0)
    learned = TrainingSet(
        rows=rows, targets=np.eye(10, dtype=np.float32)[folds.labels], strata=folds.labels
    )
    focus = np.tile(np.array(box), (len(store.images), 1))
    batch = next(iter(TrainingLoader(config, store, learned, 0, focus=focus).epoch(1)))
    assert batch.masks is None
    assert batch.boxes is not None
    return batch.boxes.numpy()


def test_boxes_go_where_their_images_go(store: ImageStore, folds: Folds) -> None:
    box = (4, 8, 20, 40)
    still = loaded(AugPolicy(), store, folds, box)
    assert (still == (2, 4, 10, 20)).all()
    flip = AugPolicy(stages=(Stage(choices=(Choice(operation="horizontal_flip"),)),))
    assert (loaded(flip, store, folds, box) == (12, 4, 20, 20)).all()
    far = AugPolicy(stages=(Stage(choices=(Choice(operation="translate_x", limit=1.0),)),))
    moved = loaded(far, store, folds, box)
    assert (moved[:, 1::2] == (4, 20)).all() or (moved == 0).all(axis=1).any()
    assert len(set(moved[:, 0])) > 5
    gone = (moved == 0).all(axis=1)
    assert gone.any()  # some are moved out of the image
    assert (moved[~gone, 2] > moved[~gone, 0]).all()


def test_marks_and_boxes() -> None:
    assert around(marked(np.array([1, 2, 3, 5]), 8)) == (1, 2, 3, 5)
    assert around(np.full((4, 4), 255, np.uint8)) == (0, 0, 0, 0)


def test_boxes_of_a_store(store: ImageStore) -> None:
    config = TrialConfig.of(size=32, store_side=44)
    first, size = store.images[0], store.sizes[0]
    assert tuple(size) == (32, 32)
    found = boxes_in_store({first: (8, 0, 16, 32)}, store, config)
    assert found[0].tolist() == [11, 0, 22, 44]
    assert (found[1:] == (0, 0, 44, 44)).all()
    with pytest.raises(InputError, match=r"data.focus=: .*: the box 8, 0, 33, 32 .* reaches outs"):
        boxes_in_store({first: (8, 0, 33, 32)}, store, config)


def test_a_training_with_it_repeats(
    small: TrialConfig, task: TrainingContext, tmp_path: Path
) -> None:
    config = small.replace(
        mix="cutmix_box", mix_alpha=1.0, epochs=1, warmup_epochs=0, focus="boxes-0.csv"
    )
    losses = []
    for name in ("a", "b"):
        (done,) = list(fit(config, task, tmp_path / name))
        losses.append(done.report["metrics"]["train/loss"])
    assert losses[0] == losses[1]
    (plain,) = list(fit(config.replace(mix="none"), task, tmp_path / "c"))
    assert plain.report["metrics"]["train/loss"] != losses[0]
