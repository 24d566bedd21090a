"""A contract for every operation, and references for those that have a published meaning."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import albumentations as A  # noqa: N812
import cv2
import numpy as np
import optuna
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

from results.masks.counts import VOID
from spaces.augmentation.families import is_policy_parameter, policy_of
from spaces.augmentation.operations import OPERATIONS
from spaces.augmentation.policy import AugPolicy, Choice, Course, Stage
from spaces.augmentation.trivial_augment import trivial_augment
from spaces.ready import ready_space
from spaces.trial_config import TrialConfig
from tests.exported_policies import check_exported
from tests.trainables.test_pipelines import own_pipelines
from trainables.augment import Augmenter
from trainables.augment.transforms import transform
from trainables.data.folds import Folds
from trainables.data.image_store import ImageStore
from trainables.data.loader import TrainingLoader
from trainables.data.training_set import TrainingSet
from trainables.portable.images import resize
from trainables.portable.seeded_pipeline import SeededPipeline

SIDE, SIZE, SQUARE = 44, (32, 40), (32, 32)
Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def picture() -> Picture:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(small, (SIDE, SIDE)), dtype=np.uint8)


def size_for(name: str) -> tuple[int, int]:
    """A training size that the operation can take."""
    return SQUARE if OPERATIONS[name].swaps_sides else SIZE


def augmenter(name: str, limit: float | None, seed: int = 0) -> Augmenter:
    stage = Stage(choices=(Choice(operation=name, limit=limit),))
    return Augmenter(AugPolicy(stages=(stage,)), size_for(name), seed, SIDE)


def plain(picture: Picture, size: tuple[int, int] = SIZE) -> Picture:
    return Augmenter(AugPolicy(), size, 0, SIDE)(picture, 1, 0)["image"]


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("strength", [0.1, 1.0, None])
def test_shape_type_and_draws(name: str, strength: float | None, picture: Picture) -> None:
    row = OPERATIONS[name]
    limit = None
    if row.has_limit:
        limit = row.widest if strength is None else row.at(strength)
    apply = augmenter(name, limit)
    views = [apply(picture, 1, i)["image"] for i in range(8)]
    for view in views:
        assert view.shape == (*size_for(name), 3)
        assert view.dtype == np.uint8
    backwards = [apply(picture, 1, i)["image"] for i in reversed(range(8))][::-1]
    np.testing.assert_array_equal(views, backwards)  # the draw belongs to the image
    if strength == 1.0:
        assert any((v != plain(picture, size_for(name))).any() for v in views)


@pytest.mark.parametrize("name", [n for n, row in OPERATIONS.items() if row.has_limit])
def test_the_identity_setting_changes_nothing(name: str, picture: Picture) -> None:
    apply = augmenter(name, OPERATIONS[name].identity)
    for i in range(4):
        np.testing.assert_array_equal(apply(picture, 1, i)["image"], plain(picture))


@pytest.mark.parametrize("name", [n for n, row in OPERATIONS.items() if row.has_limit])
def test_a_larger_strength_changes_more(name: str, picture: Picture) -> None:
    """On average over draws; CLAHE's limit says nothing of tiles with fewer pixels than levels."""
    side, size = (160, (128, 128)) if name == "clahe" else (SIDE, size_for(name))
    larger = np.asarray(cv2.resize(picture, (side, side)), np.uint8)
    still = Augmenter(AugPolicy(), size, 0, side)(larger, 1, 0)["image"].astype(int)
    changes = []
    for strength in (0.1, 1.0):
        stage = Stage(choices=(Choice(operation=name, limit=OPERATIONS[name].at(strength)),))
        apply = Augmenter(AugPolicy(stages=(stage,)), size, 0, side)
        views = np.stack([apply(larger, 1, i)["image"].astype(int) for i in range(24)])
        changes.append(float(np.abs(views - still).mean()))
    assert changes[1] > 1.2 * changes[0]


@pytest.mark.parametrize("name", OPERATIONS)
def test_masks_follow_geometry_and_nothing_else(name: str, picture: Picture) -> None:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[10:30, 12:20] = 7
    outside = {VOID} if OPERATIONS[name].moves_pixels else set()
    row = OPERATIONS[name]
    apply = augmenter(name, row.at(1.0))
    size = size_for(name)
    still = Augmenter(AugPolicy(), size, 0, SIDE)(picture, 1, 0, mask)["mask"]
    moved = [apply(picture, 1, i, mask)["mask"] for i in range(6)]
    for m in moved:
        assert m.shape == size
        assert set(np.unique(m)) <= {0, 7, *outside}  # no blending of labels
    changed = any((m != still).any() for m in moved)
    assert changed == row.moves_pixels


@pytest.mark.parametrize("name", [n for n, row in OPERATIONS.items() if row.moves_pixels])
def test_masks_move_as_the_image_does(name: str) -> None:
    """An image that shows its own mask still does so after the operation.

    An image is interpolated where a mask takes the nearest pixel, so that outlines may be half of
    the way apart; at most 1 % of the pixels are two thirds apart.
    """
    mask = np.full((SIDE, SIDE), 1, np.uint8)
    mask[8:36, 10:30] = 2
    apply = augmenter(name, OPERATIONS[name].at(0.6))
    for i in range(5):
        views = apply(np.repeat(100 * mask[..., None], 3, axis=2), 1, i, mask)
        shown, moved = views["image"][..., 0].astype(int), views["mask"]
        known = moved != VOID
        off = np.abs(shown - 100 * moved.astype(int))[known] > 66
        assert known.mean() > 0.4
        assert off.mean() <= 0.01
        # Where the image is black it is unknown, and the other way round, but for its outline.
        assert ((shown < 50) != ~known).mean() <= 0.01


def test_what_lies_outside_the_image_is_void() -> None:
    mask = np.ones((SIDE, SIDE), np.uint8)
    bright = np.full((SIDE, SIDE, 3), 200, np.uint8)
    for name in ("rotate", "shear_x", "translate_x", "translate_y", "scale"):
        apply = augmenter(name, OPERATIONS[name].at(1.0))
        moved = [apply(bright, 1, i, mask)["mask"] for i in range(5)]
        assert any((m == VOID).any() for m in moved), name
        assert all(set(np.unique(m)) <= {1, VOID} for m in moved)


@pytest.mark.parametrize("size", [(32, 32), (32, 64), (64, 32), (21, 22), (44, 44)])
def test_without_augmentation_training_sees_what_evaluation_sees(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (88, 88, 3), dtype=np.uint8)
    seen = Augmenter(AugPolicy(), size, 0, 88)(noise, 1, 0)["image"]
    np.testing.assert_array_equal(seen, resize(noise, *size))


def test_draws_depend_on_seed_epoch_and_image(picture: Picture) -> None:
    first, other = augmenter("rotate", 45.0), augmenter("rotate", 45.0, seed=1)
    base = first(picture, 1, 0)["image"]
    assert (first(picture, 2, 0)["image"] != base).any()
    assert (first(picture, 1, 1)["image"] != base).any()
    assert (other(picture, 1, 0)["image"] != base).any()
    np.testing.assert_array_equal(augmenter("rotate", 45.0)(picture, 1, 0)["image"], base)


def test_probability_is_kept(picture: Picture) -> None:
    stage = Stage(choices=(Choice(operation="horizontal_flip"),), probability=0.3)
    apply = Augmenter(AugPolicy(stages=(stage,)), SIZE, 0, SIDE)
    base = plain(picture)
    changed = sum((apply(picture, 1, i)["image"] != base).any() for i in range(1000))
    assert abs(changed - 300) < 4 * math.sqrt(1000 * 0.3 * 0.7)


def test_a_crop_is_taken_from_the_stored_image() -> None:
    """From 88 stored pixels a quarter of the area is still 44: no pixel is repeated."""
    noise = np.random.default_rng(0).integers(0, 256, (88, 88, 3), dtype=np.uint8)
    stage = Stage(choices=(Choice(operation="crop", limit=0.25),))
    apply = Augmenter(AugPolicy(stages=(stage,)), (32, 32), 0, 88)
    for i in range(10):
        view = apply(noise, 1, i)["image"].astype(int)
        repeated = (view[:, 1:] == view[:, :-1]).all(axis=2).mean()
        assert repeated < 0.01


def _fixed(name: str, limit: float, value: float, picture: Picture) -> Picture:
    """Applies an operation with its draw pinned."""
    built: Any = transform(Choice(operation=name, limit=limit), 1.0, SIZE)
    keys = {"brightness": 1, "contrast": 1, "saturation": 1}
    if name == "sharpness":
        built.factor_range = (value, value)
    elif name in keys:
        setattr(built, name, (value, value))
    elif name == "posterize":
        built.num_bits = (int(value), int(value))
    elif name == "solarize":
        built.threshold_range = (value, value)
    elif name == "solarize_add":
        built.added_range = (value, value)
    return np.asarray(A.Compose([built])(image=picture)["image"])


@pytest.mark.parametrize("factor", [0.1, 0.5, 0.9, 1.5, 1.9])
@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation", "sharpness"])
def test_enhancements_equal_pil(name: str, factor: float, picture: Picture) -> None:
    enhance = {
        "brightness": ImageEnhance.Brightness,
        "contrast": ImageEnhance.Contrast,
        "saturation": ImageEnhance.Color,
        "sharpness": ImageEnhance.Sharpness,
    }[name]
    expected = np.asarray(enhance(Image.fromarray(picture)).enhance(factor)).astype(int)
    ours = _fixed(name, 0.99, factor, picture).astype(int)
    assert np.abs(ours - expected).max() <= 3  # rounding


@pytest.mark.parametrize(("name", "levels"), [("autocontrast", 2), ("equalize", 8)])
def test_histogram_operations_are_near_pil(name: str, levels: int, picture: Picture) -> None:
    """albumentations' equalize rounds its table otherwise, by a few of 255 levels."""
    dim = (picture // 2 + 30).astype(np.uint8)
    expected = np.asarray(getattr(ImageOps, name)(Image.fromarray(dim))).astype(int)
    built = transform(Choice(operation=name), 1.0, SIZE)
    ours = np.asarray(A.Compose([built])(image=dim)["image"]).astype(int)
    assert np.abs(ours - expected).max() <= levels


def test_posterize_and_solarize_equal_pil(picture: Picture) -> None:
    image = Image.fromarray(picture)
    ours = _fixed("posterize", 4, 3, picture)
    np.testing.assert_array_equal(ours, np.asarray(ImageOps.posterize(image, 3)))
    ours = _fixed("solarize", 0.5, 128 / 255, picture)
    np.testing.assert_array_equal(ours, np.asarray(ImageOps.solarize(image, 128)))


def test_solarize_add_equals_a_table_of_pil(picture: Picture) -> None:
    table = [min(255, level + 100) if level < 128 else level for level in range(256)]
    ours = _fixed("solarize_add", 0.4, 100 / 255, picture)
    np.testing.assert_array_equal(ours, np.asarray(Image.fromarray(picture).point(3 * table)))


SIDE = 64


def _moved(name: str, value: float, picture: Picture) -> Picture:
    """Moves a picture by a pinned angle, or share of a side."""
    built: Any = transform(Choice(operation=name, limit=abs(value)), 1.0, (SIDE, SIDE))
    axis = name[-1]
    if name == "rotate":
        built.rotate = (value, value)
    elif name.startswith("shear"):
        built.shear = {"x": (0, 0), "y": (0, 0), axis: (value, value)}
    else:
        built.translate_percent = {"x": (0, 0), "y": (0, 0), axis: (value, value)}
    return np.asarray(A.Compose([built])(image=picture)["image"])


def _moved_by_pil(name: str, value: float, picture: Picture) -> Picture:
    """The same with Pillow, around the middle."""
    image, shift = Image.fromarray(picture), value * SIDE
    if name == "rotate":
        return np.asarray(image.rotate(value, Image.Resampling.BILINEAR))
    slope = math.tan(math.radians(value)) if name.startswith("shear") else 0.0
    backwards = {
        "shear_x": (1, slope, -slope * SIDE / 2, 0, 1, 0),
        "shear_y": (1, 0, 0, slope, 1, -slope * SIDE / 2),
        "translate_x": (1, 0, -shift, 0, 1, 0),
        "translate_y": (1, 0, 0, 0, 1, -shift),
    }[name]
    size, how = (SIDE, SIDE), Image.Transform.AFFINE
    return np.asarray(image.transform(size, how, backwards, Image.Resampling.BILINEAR))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rotate", 20.0),
        ("rotate", -30.0),
        ("shear_x", 15.0),
        ("shear_x", -10.0),
        ("shear_y", 15.0),
        ("shear_y", -10.0),
        ("translate_x", 0.25),
        ("translate_x", -0.125),
        ("translate_y", 0.25),
        ("translate_y", -0.125),
    ],
)
def test_moves_equal_pil(name: str, value: float) -> None:
    """Up to a pixel from what the move uncovers, where the two mix in black differently."""
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    smooth = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.0), None, 0, 255, cv2.NORM_MINMAX)
    covered = _moved_by_pil(name, value, np.full_like(smooth, 255)).min(axis=2) == 255
    inside = cv2.erode(covered.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=0) > 0
    off = np.abs(
        _moved(name, value, smooth).astype(int) - _moved_by_pil(name, value, smooth).astype(int)
    )[inside]
    assert inside.mean() > 0.5
    assert off.mean() < 1
    assert np.quantile(off, 0.99) <= 3


def every_operation() -> dict[str, AugPolicy]:
    """A policy per operation, at the strongest that is searched, and TrivialAugment."""
    stages = {
        name: Stage(choices=(Choice(operation=name, limit=row.at(1.0)),), probability=0.8)
        for name, row in OPERATIONS.items()
    }
    return {
        "trivial_augment": trivial_augment(),
        **{name: AugPolicy(stages=(stage,)) for name, stage in stages.items()},
    }


def drawn(count: int) -> dict[str, AugPolicy]:
    """So many random policies of every family that a ready space searches."""
    families = ("aug_policy", "rand_augment", "fast_autoaugment", "subset", "magnitude", "pba")
    found = {}
    for family in families:
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        for i in range(count):
            params = ready_space(family).suggest(study.ask())
            wanted = {k: v for k, v in params.items() if is_policy_parameter(k)}
            found[f"{family}-{i}"] = policy_of(wanted).at(1.0)  # what an export has
    return found


def nested() -> AugPolicy:
    """Every form of the grammar but courses, of which an export has the last epoch's."""
    rotate, blur = Choice(operation="rotate", limit=20), Choice(operation="blur", limit=2.0)
    solarize, flip = Choice(operation="solarize", limit=0.5), Choice(operation="horizontal_flip")
    twice = AugPolicy(
        stages=(Stage(choices=(rotate,), probability=0.8), Stage(choices=(blur,), probability=0.6))
    )
    return AugPolicy(
        stages=(
            Stage(choices=(twice, solarize), weights=(3.0, 1.0), probability=0.9),
            Stage(choices=(rotate, blur, solarize, flip), count=2),
        )
    )


def test_one_of_several_is_drawn_by_its_weight() -> None:
    """In three of four images nothing but the first choice: a sequence of flip and flip."""
    flip, invert = Choice(operation="horizontal_flip"), Choice(operation="solarize", limit=1.0)
    there_and_back = AugPolicy(stages=(Stage(choices=(flip,)), Stage(choices=(flip,))))
    stage = Stage(choices=(there_and_back, invert), weights=(3.0, 1.0))
    image = np.tile(np.arange(0, 176, 4, dtype=np.uint8)[None, :, None], (44, 1, 3)) + 60
    apply = Augmenter(AugPolicy(stages=(stage,)), (44, 44), 0, 44)
    same = [np.array_equal(apply(image, 1, i)["image"], image) for i in range(400)]
    assert np.mean(same) == pytest.approx(0.75, abs=0.07)


def test_some_of_several_are_applied() -> None:
    """Both of two; of three, each pair in a third of the images."""
    flip = Choice(operation="vertical_flip")
    mirror = Choice(operation="horizontal_flip")
    stage = Stage(choices=(flip, mirror), count=2)
    image = np.random.default_rng(0).integers(0, 256, (44, 44, 3), np.uint8)
    both = Augmenter(AugPolicy(stages=(stage,)), (44, 44), 0, 44)(image, 1, 0)["image"]
    np.testing.assert_array_equal(both, image[::-1, ::-1])
    three = Stage(choices=(flip, mirror, Choice(operation="autocontrast")), count=2)
    apply = Augmenter(AugPolicy(stages=(three,)), (44, 44), 0, 44)
    turned = [np.array_equal(apply(image, 1, i)["image"], image[::-1, ::-1]) for i in range(300)]
    assert np.mean(turned) == pytest.approx(1 / 3, abs=0.1)


def test_a_strength_runs_over_the_epochs(store: ImageStore, folds: Folds) -> None:
    """No blur in the first of three epochs, some in the second, most in the last."""
    course = Course(points=((0, 0.0), (1, 4.0)))
    policy = AugPolicy(stages=(Stage(choices=(Choice(operation="blur", limit=course),)),))
    config = TrialConfig.of(size=32, store_side=44, batch=32, epochs=3, policy=policy)
    rows = folds.trained_on(0)
    targets = np.eye(10, dtype=np.float32)[folds.labels]
    learned = TrainingSet(rows=rows, targets=targets, strata=folds.labels)
    loader = TrainingLoader(config, store, learned, 0)
    still = config.replace(policy=AugPolicy())
    plain = TrainingLoader(still, store, learned, 0)
    off = []
    for epoch in (1, 2, 3):
        ours, theirs = (next(iter(of.epoch(epoch))).pictures for of in (loader, plain))
        off.append(float((ours.float() - theirs.float()).abs().mean()))
    assert off[0] == 0
    assert 0 < off[1] < off[2]


def test_images_grow_over_the_epochs(store: ImageStore, folds: Folds) -> None:
    """Crops, too; and a training sees the same whichever worker makes it."""
    crop = Stage(choices=(Choice(operation="crop", limit=0.5),))
    config = TrialConfig.of(
        size=40, first_share=0.6, store_side=44, batch=8, epochs=5, policy=AugPolicy(stages=(crop,))
    )
    rows = folds.trained_on(0)
    targets = np.eye(10, dtype=np.float32)[folds.labels]
    learned = TrainingSet(rows=rows, targets=targets, strata=folds.labels)
    loaders = [TrainingLoader(config, store, learned, workers) for workers in (0, 1)]
    for epoch, side in enumerate((24, 32, 32, 40, 40), start=1):
        here, there = (next(iter(loader.epoch(epoch))).pictures for loader in loaders)
        assert here.shape == (8, side, side, 3)
        assert torch.equal(here, there)


LONG = (pytest.mark.slow, pytest.mark.timeout(900))


@pytest.mark.filterwarnings("ignore:.*special case of Affine")
@pytest.mark.parametrize("each", [6, pytest.param(200, marks=LONG)])
def test_an_exported_policy_gives_the_pixels_that_trained(
    each: int, picture: Picture, tmp_path: Path
) -> None:
    """For every operation, random policies of every family and a team's own pipelines, in a
    process that has albumentations and the exported folder only."""
    policies = {**every_operation(), "nested": nested(), **drawn(each), **own_pipelines()}
    config = TrialConfig.of(size=SQUARE, store_side=SIDE, seed=3)
    check_exported(policies, config, picture, 4, tmp_path)


@pytest.mark.parametrize("name", ["rotate", "translate_x", "perspective", "elastic"])
def test_uncovered_borders_are_filled_as_asked(name: str) -> None:
    """A white image stays white where borders are reflected or repeated; masks end there."""
    choice = Choice(operation=name, limit=OPERATIONS[name].at(1.0))
    policy = AugPolicy(stages=(Stage(choices=(choice,)),))
    white, mask = np.full((SIDE, SIDE, 3), 255, np.uint8), np.ones((SIDE, SIDE), np.uint8)
    seen = {}
    for fill in ("black", "reflect", "nearest", "mean"):
        made = Augmenter(policy, SIZE, 0, SIDE, fill)
        again = SeededPipeline(A.from_dict(json.loads(json.dumps(made.to_json()))["pipeline"]), 0)
        seen[fill] = [made(white, 1, index, mask) for index in range(8)]
        for index, view in enumerate(seen[fill]):
            np.testing.assert_array_equal(again(white, 1, index)["image"], view["image"])
    assert all((v["image"] == 255).all() for fill in ("reflect", "nearest") for v in seen[fill])
    uncovered = [v["image"].reshape(-1, 3).min(axis=0) for v in seen["mean"]]
    if name in ("rotate", "translate_x"):  # the others take pixels from within
        assert min(v["image"].min() for v in seen["black"]) == 0
        assert any((lowest == (124, 116, 104)).all() for lowest in uncovered)
