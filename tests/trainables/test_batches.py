"""Whole batches are augmented as albumentations augments each image."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from optuna.distributions import CategoricalDistribution

from search.jobs.searched_choices import check_values
from spaces.augmentation.operations import OPERATIONS
from spaces.augmentation.policy import AugPolicy, Choice, Course, Stage
from spaces.augmentation.trivial_augment import trivial_augment
from spaces.errors import InputError
from spaces.param import Param
from spaces.ready import READY, ready_space
from spaces.space import SearchSpace
from spaces.trial_config import TrialConfig
from tests.trainables.test_augment import drawn, nested
from trainables.augment.augmenter import Augmenter
from trainables.augment.batches import MOVES, PAINTS, augmented
from trainables.augment.drawing import NOTES, Drawing
from trainables.augment.jpeg import compressed, steps_of
from trainables.augment.paints import FIELDS, noise
from trainables.augment.rounds import Step, rounds_of
from trainables.data.batch import Batch
from trainables.data.folds import Folds
from trainables.data.image_store import ImageStore
from trainables.data.loader import TrainingLoader
from trainables.data.training_set import TrainingSet
from trainables.training.context import TrainingContext
from trainables.training.fit import fit

SIDE, SIZE, SQUARE = 44, (32, 40), (32, 32)
CPU = torch.device("cpu")
Pixels = NDArray[np.uint8]

BATCHED = [name for name, row in OPERATIONS.items() if row.batched]


@pytest.fixture(scope="module")
def pictures() -> list[Pixels]:
    """From coarse to fine, the last two of one colour and all white."""
    rng = np.random.default_rng(0)
    small = [rng.integers(0, 256, (side, side, 3), dtype=np.uint8) for side in range(3, 33, 3)]
    found = [cv2.resize(picture, (SIDE, SIDE)).astype(np.uint8) for picture in small]
    return [*found, np.full((SIDE, SIDE, 3), 77, np.uint8), np.full((SIDE, SIDE, 3), 255, np.uint8)]


@pytest.fixture(scope="module")
def masks(pictures: list[Pixels]) -> list[Pixels]:
    rng = np.random.default_rng(1)
    return [
        np.kron(rng.integers(0, 5, (11, 11)), np.ones((4, 4))).astype(np.uint8) for _ in pictures
    ]


def policy_of_one(name: str, strength: float) -> AugPolicy:
    row = OPERATIONS[name]
    limit = row.at(strength) if row.has_limit else None
    return AugPolicy(stages=(Stage(choices=(Choice(operation=name, limit=limit),)),))


def both(
    policy: AugPolicy,
    size: tuple[int, int],
    pictures: list[Pixels],
    masks: list[Pixels],
    fill: str = "black",
) -> tuple[tuple[Pixels, Pixels], tuple[Pixels, Pixels]]:
    """Pictures and masks of albumentations, and those of a batch."""
    single, drawing = Augmenter(policy, size, 5, SIDE, fill), Drawing(policy, size, 5, SIDE, fill)
    pairs = list(enumerate(zip(pictures, masks, strict=True)))
    ours = [single(picture, 2, i, mask) for i, (picture, mask) in pairs]
    views = [drawing.drawn(picture, 2, i, mask) for i, (picture, mask) in pairs]
    seen, moved = augmented(
        torch.from_numpy(np.stack([view["image"] for view, _ in views])),
        torch.from_numpy(np.stack([view["mask"] for view, _ in views])),
        rounds_of([steps for _, steps in views]),
        fill,
        CPU,
    )
    assert moved is not None
    one = np.stack([v["image"] for v in ours]), np.stack([v["mask"] for v in ours])
    return one, (seen.numpy(), moved.numpy())


def apart(a: Pixels, b: Pixels) -> NDArray[np.int64]:
    return np.abs(a.astype(np.int64) - b.astype(np.int64))


def test_the_table_says_what_there_is() -> None:
    assert {*NOTES, "crop"} == set(BATCHED)
    kinds = {"warp", "turn", "levels", "filter"}
    assert kinds <= {*MOVES, *PAINTS}
    assert not set(MOVES) & set(PAINTS)


@pytest.mark.parametrize("name", [name for name in BATCHED if name != "noise"])
@pytest.mark.parametrize("strength", [0.2, 1.0])
def test_an_operation_gives_the_same_pixels(
    name: str, strength: float, pictures: list[Pixels], masks: list[Pixels]
) -> None:
    """To one level of 255: of hues in a tenth of the pixels, else in hardly any; masks, too."""
    size = SQUARE if OPERATIONS[name].swaps_sides else SIZE
    one, batch = both(policy_of_one(name, strength), size, pictures, masks)
    off = apart(one[0], batch[0])
    assert off.max() <= 1
    assert (off > 0).mean() <= (0.1 if name == "hue" else 0.01)
    assert (one[1] != batch[1]).mean() <= 0.001
    plain, _ = both(AugPolicy(), size, pictures, masks)
    assert strength < 1 or (one[0] != plain[0]).any()


@pytest.mark.parametrize("fill", ["mean", "reflect", "nearest"])
@pytest.mark.parametrize(
    "name", ["rotate", "translate_x", "perspective", "grid_distortion", "elastic"]
)
def test_borders_are_filled_alike(
    name: str, fill: str, pictures: list[Pixels], masks: list[Pixels]
) -> None:
    one, batch = both(policy_of_one(name, 1.0), SIZE, pictures, masks, fill)
    assert apart(one[0], batch[0]).max() <= 1
    assert (one[1] != batch[1]).mean() <= 0.001


@pytest.mark.parametrize("size", [(224, 224), (8, 9)])
@pytest.mark.parametrize(
    "name", ["rotate", "perspective", "elastic", "shadow", "blur", "motion_blur", "grid_mask"]
)
def test_large_and_tiny_images_do_not_differ(
    name: str, size: tuple[int, int], pictures: list[Pixels], masks: list[Pixels]
) -> None:
    one, batch = both(policy_of_one(name, 1.0), size, pictures[:4], masks[:4])
    assert apart(one[0], batch[0]).max() <= 1


def test_noise_is_as_strong_but_of_another_grain(
    pictures: list[Pixels], masks: list[Pixels]
) -> None:
    grey = [np.full((SIDE, SIDE, 3), 128, np.uint8)] * 12
    one, batch = both(policy_of_one("noise", 0.8), SIZE, grey, masks)
    assert (one[0] != batch[0]).any()
    spread, other = (views[0].reshape(12, -1).std(axis=1) for views in (one, batch))
    np.testing.assert_allclose(other, spread, rtol=0.06, atol=0.3)
    np.testing.assert_allclose(batch[0].reshape(12, -1).mean(axis=1), 127.5, atol=2.5)
    assert (batch[0][..., 0] != batch[0][..., 1]).any()  # of every channel its own


def test_every_field_of_noise_is_one() -> None:
    images = torch.full((3, 3, 8, 8), 128, dtype=torch.uint8)
    fields = torch.tensor([0, FIELDS - 1, 0])
    found = noise(images, sigma=torch.full((3,), 0.1), field=fields)
    assert torch.equal(found[0], found[2])
    assert not torch.equal(found[0], found[1])


def test_what_is_drawn_after_noise_is_the_same(pictures: list[Pixels], masks: list[Pixels]) -> None:
    """Noise that is too weak to be seen, and then a draw from several, twice."""
    flips = tuple(Choice(operation=f"{way}_flip") for way in ("horizontal", "vertical"))
    weak = Stage(choices=(Choice(operation="noise", limit=1e-6),))
    twist = Stage(choices=(Choice(operation="perspective", limit=0.1),))
    policy = AugPolicy(stages=(weak, Stage(choices=flips), weak, twist))
    one, batch = both(policy, SIZE, pictures, masks)
    assert apart(one[0], batch[0]).max() <= 3  # noise is rounded downwards
    assert (one[1] != batch[1]).mean() <= 0.001


def policies() -> dict[str, AugPolicy]:
    """Of every family, without what batches do without, and without noise."""
    found = {"trivial_augment": trivial_augment(), "nested": nested(), **drawn(2)}
    allowed = set(BATCHED) - {"noise"}
    return {name: policy for name, policy in found.items() if policy.operations() <= allowed}


def test_policies_give_the_same_views(pictures: list[Pixels], masks: list[Pixels]) -> None:
    """One step after another adds up: what differs by a level may be stretched or thresholded."""
    tried = policies()
    assert {"trivial_augment", "nested"} < set(tried)
    assert {name.partition("-")[0] for name in tried} >= {"rand_augment", "subset"}
    for name, policy in tried.items():
        one, batch = both(policy, SQUARE, pictures, masks)
        off = apart(one[0], batch[0])
        assert off.mean() < 0.2, name
        assert (off > 4).mean() < 0.005, name
        assert (one[1] != batch[1]).mean() <= 0.001, name


def test_rounds_keep_the_order_of_every_image() -> None:
    def steps(kinds: str) -> list[Step]:
        return [Step(kind, {"number": np.array(i)}) for i, kind in enumerate(kinds)]

    drawn = [steps("ab"), steps("ba"), steps("aab"), steps("")]
    done: list[list[str]] = [[], [], [], []]
    rounds = rounds_of(drawn)
    for kind, images, values in rounds:
        for image, number in zip(images, values["number"], strict=True):
            assert number == len(done[image])
            done[image].append(kind)
    assert ["".join(kinds) for kinds in done] == ["ab", "ba", "aab", ""]
    assert len(rounds) <= 4


def test_kernels_of_other_lengths_lie_in_the_middle() -> None:
    short, long = np.ones(3, np.float32), np.ones(7, np.float32)
    (found,) = rounds_of([[Step("blur", {"kernel": k})] for k in (short, long)])
    np.testing.assert_array_equal(found.values["kernel"][0], [0, 0, 1, 1, 1, 0, 0])


def loaded(config: TrialConfig, store: ImageStore, folds: Folds, workers: int) -> list[Batch]:
    targets = np.eye(10, dtype=np.float32)[folds.labels]
    learned = TrainingSet(rows=folds.trained_on(0)[:96], targets=targets, strata=folds.labels)
    loader = TrainingLoader(config, store, learned, workers)
    return [batch for epoch in (1, 2) for batch in loader.epoch(epoch)]


def test_a_loader_s_batches_are_the_same(store: ImageStore, folds: Folds) -> None:
    """Whichever process draws, and as albumentations augments them; with a course, and crops."""
    strength = Course(points=((0, 10.0), (1, 30.0)))
    crop, turn = Choice(operation="crop", limit=0.6), Choice(operation="rotate", limit=strength)
    some = Stage(choices=(turn, Choice(operation="equalize")), probability=0.7)
    policy = AugPolicy(stages=(Stage(choices=(crop,)), some))
    config = TrialConfig.of(size=32, store_side=44, batch=32, epochs=2, policy=policy)
    single = loaded(config, store, folds, 0)
    config = config.replace(augment_on="batch")
    here, there = (loaded(config, store, folds, workers) for workers in (0, 1))
    assert len(single) == len(here) == 6
    for a, b, c in zip(single, here, there, strict=True):
        assert torch.equal(b.pictures, c.pictures)
        assert b.rounds == ()
        assert apart(a.pictures.numpy(), b.pictures.numpy()).max() <= 1
        assert torch.equal(a.targets, b.targets)


@pytest.mark.parametrize("action", ["train", "mixmatch"])
def test_a_training_that_was_interrupted_ends_alike(
    action: str, task: TrainingContext, small: TrialConfig, tmp_path: Path
) -> None:
    config = small.replace(policy=trivial_augment(), augment_on="batch", action=action)
    whole = [epoch.report["metrics"] for epoch in fit(config, task, tmp_path / "whole")]
    for _ in fit(config, task, tmp_path / "parts"):
        break
    *_, last = fit(config, task, tmp_path / "parts")
    assert last.report["metrics"] == whole[-1]


def test_what_batches_lack_is_refused() -> None:
    lacking = policy_of_one("clahe", 0.5).stages + policy_of_one("fog", 0.5).stages
    config = TrialConfig.of(policy=AugPolicy(stages=lacking))
    with pytest.raises(InputError, match=r"has no clahe, fog: .*drop=\[clahe,fog\]"):
        config.replace(augment_on="batch")
    with pytest.raises(InputError, match="augment_on=bath"):
        config.replace(augment_on="bath")


def test_a_space_that_may_draw_it_is_refused() -> None:
    config = TrialConfig.of(augment_on="batch")
    for name in READY:  # preprocessing is done image by image in any case, clahe too
        check_values(ready_space(name), config, {})
    choices = CategoricalDistribution(("rotate", "fog", "scale"))
    space = SearchSpace(name="own", params=(Param(name="stage1.operation", distribution=choices),))
    with pytest.raises(InputError, match=r"has no fog: .*drop=\[fog\]"):
        check_values(space, config, {"stages": 1})
    check_values(space.drop(["fog"]), config, {"stages": 1})


@pytest.mark.parametrize("quality", [1, 20, 49, 50, 75, 90, 100])
@pytest.mark.parametrize("size", [(64, 64), (33, 47), (8, 9), (17, 5)])
def test_compression_loses_what_libjpeg_loses(size: tuple[int, int], quality: int) -> None:
    """To the bit, from smooth pictures to grains, whole blocks or not."""
    rng = np.random.default_rng(0)
    grains = [rng.integers(0, 256, (side, side, 3), dtype=np.uint8) for side in (3, 8, 24, 60)]
    found = [cv2.resize(g, size[::-1], interpolation=cv2.INTER_CUBIC) for g in grains]
    coded = [cv2.imencode(".jpg", p, (cv2.IMWRITE_JPEG_QUALITY, quality))[1] for p in found]
    lost = np.stack([np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR)) for code in coded])
    images = torch.from_numpy(np.stack(found)).permute(0, 3, 1, 2)
    steps = torch.from_numpy(steps_of(quality)).expand(len(found), -1, -1, -1)
    ours = compressed(images, steps=steps).permute(0, 2, 3, 1).numpy()
    np.testing.assert_array_equal(ours, lost)


def test_masks_of_trainings_follow(squashed: TrainingContext, config: TrialConfig) -> None:
    """What a network for masks is shown is what it is asked for."""
    from trainables.data.training_set import training_set

    policy = policy_of_one("rotate", 1.0)
    config = dataclasses.replace(config, policy=policy)
    learned = training_set(config, squashed)
    seen = []
    for on in ("image", "batch"):
        loader = TrainingLoader(config.replace(augment_on=on), squashed.store, learned, 0)
        seen.append(next(iter(loader.epoch(1))))
    one, batch = seen
    assert one.masks is not None
    assert batch.masks is not None
    assert apart(one.pictures.numpy(), batch.pictures.numpy()).max() <= 1
    assert (one.masks != batch.masks).float().mean() <= 0.001
