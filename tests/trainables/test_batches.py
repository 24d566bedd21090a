"""Whole batches are augmented as albumentations augments each image."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import albumentations as A  # noqa: N812
import cv2
import numpy as np
import pytest
import torch
from albumentations.augmentations.pixel.functional import iso_noise
from numpy.typing import NDArray
from optuna.distributions import CategoricalDistribution
from scipy.stats import poisson

from search.jobs.searched_choices import check_values
from spaces.augmentation.families import PIPELINES
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
from trainables.augment.fog import veils_of
from trainables.augment.jpeg import compressed, steps_of
from trainables.augment.lab import images_of, planes_of
from trainables.augment.noise import FIELDS, counted, gaussian, grains_of, sensor
from trainables.augment.pipelines import written
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

GRAINED = {"noise", "iso_noise"}
"""Operations whose random fields are others than albumentations'."""


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
    assert {*NOTES, "crop"} == set(OPERATIONS)
    kinds = {"warp", "turn", "levels", "filter"}
    assert kinds <= {*MOVES, *PAINTS}
    assert not set(MOVES) & set(PAINTS)


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in GRAINED])
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
    "name",
    ["rotate", "perspective", "elastic", "shadow", "blur", "motion_blur", "grid_mask", "fog"],
)
def test_large_and_tiny_images_do_not_differ(
    name: str, size: tuple[int, int], pictures: list[Pixels], masks: list[Pixels]
) -> None:
    one, batch = both(policy_of_one(name, 1.0), size, pictures[:4], masks[:4])
    assert apart(one[0], batch[0]).max() <= 1


@pytest.mark.parametrize("size", [(36, 42), (33, 47), (17, 5), (3, 4), (224, 224)])
def test_tiles_that_do_not_fit_are_equalised_alike(
    size: tuple[int, int], pictures: list[Pixels], masks: list[Pixels]
) -> None:
    one, batch = both(policy_of_one("clahe", 1.0), size, pictures, masks)
    off = apart(one[0], batch[0])
    assert off.max() <= 1
    assert (off > 0).mean() <= 0.001


def test_lightness_and_colours_are_opencv_s() -> None:
    """To the bit, there and back, of every fifth level of each."""
    levels = np.arange(0, 256, 5, dtype=np.uint8)
    numbers = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    planes = torch.from_numpy(numbers).permute(0, 2, 1)[..., None]
    found = torch.stack(planes_of(planes), dim=-1)[0].transpose(0, 1)
    np.testing.assert_array_equal(found.numpy(), cv2.cvtColor(numbers, cv2.COLOR_RGB2LAB))
    again = images_of(*planes.int().unbind(dim=1))[0].permute(2, 1, 0)
    np.testing.assert_array_equal(again.numpy(), cv2.cvtColor(numbers, cv2.COLOR_LAB2RGB))


def test_veils_are_counted_up_to_what_changes_a_level() -> None:
    """Disks as OpenCV draws them, over borders and from beyond them, and hundreds in one place."""
    rng = np.random.default_rng(0)
    centres = [(int(x), int(y)) for x, y in rng.integers(-9, 50, (200, 2))] + [(20, 20)] * 300
    radii = [int(radius) for radius in rng.integers(0, 12, len(centres))]
    counts = np.zeros((32, 40), np.int64)
    for centre, radius in zip(centres, radii, strict=True):
        counts += cv2.circle(np.zeros(counts.shape, np.uint8), centre, radius, (1,), -1)
    assert counts.max() > 255
    np.testing.assert_array_equal(veils_of(centres, radii, 32, 40), counts.clip(max=255))
    assert not veils_of([], [], 32, 40).any()


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


class Stored:
    """Gives albumentations the random numbers of one of our fields."""

    def __init__(self, grains: torch.Tensor) -> None:
        self.grains = grains

    def poisson(self, rate: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.int64]:
        found = counted(self.grains[:1], torch.full((1, 1, 1), rate.item()))[0]
        return found.numpy().reshape(size).astype(np.int64)

    def normal(self, mean: float, sigma: float, size: tuple[int, int]) -> NDArray[np.float64]:
        return mean + sigma * self.grains[1].double().numpy().reshape(size)


@pytest.mark.parametrize(("intensity", "shift"), [(0.05, 0.01), (0.3, 0.1), (1.0, 0.2)])
def test_a_sensor_s_noise_does_the_same_with_the_same_numbers(
    intensity: float, shift: float, pictures: list[Pixels]
) -> None:
    images = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    whole = torch.ones(len(pictures))
    field = torch.arange(len(pictures))
    found = sensor(
        images, intensity=intensity * whole, shift=intensity * shift * whole, field=field
    )
    grains = grains_of(images, field)
    for picture, ours, numbers in zip(pictures, found, grains, strict=True):
        theirs = iso_noise(picture, shift, intensity, Stored(numbers))
        off = apart(theirs, ours.permute(1, 2, 0).numpy())
        assert off.max() <= 1
        assert (off > 0).mean() <= 0.001


@pytest.mark.parametrize("rate", [0.5, 0.1, 0.003, 0.0])
def test_what_a_sensor_counts_is_poisson_s(rate: float) -> None:
    grains = grains_of(torch.zeros(1, 3, 600, 600), torch.zeros(1, dtype=torch.int64))
    found = counted(grains.flatten(), torch.tensor(rate))
    wanted = poisson.pmf(np.arange(9), rate)
    shares = np.array([(found == count).double().mean() for count in range(9)])
    np.testing.assert_allclose(shares, wanted, atol=4 * np.sqrt(0.25 / len(found)))


def test_a_sensor_s_noise_is_as_strong_but_of_another_grain(masks: list[Pixels]) -> None:
    """How much lighter the pixels of an image become, and how unevenly."""
    halves = np.full((SIDE, SIDE, 3), 64, np.uint8)
    halves[:, SIDE // 2 :] = 192
    one, batch = both(policy_of_one("iso_noise", 1.0), (224, 224), [halves] * 12, masks)
    plain, _ = both(AugPolicy(), (224, 224), [halves], masks[:1])
    assert (one[0] != batch[0]).any()
    assert (batch[0] >= plain[0]).mean() > 0.99  # sensors make nothing darker
    for strength in (np.mean, np.std):
        theirs, ours = (
            [strength(view.astype(np.float64) - plain[0][0]) for view in views[0]]
            for views in (one, batch)
        )
        np.testing.assert_allclose(ours, theirs, rtol=0.12)


def test_a_sensor_turns_hues_as_far(masks: list[Pixels]) -> None:
    """In images of one colour, in which it counts nothing."""
    orange = np.full((SIDE, SIDE, 3), (250, 125, 0), np.uint8)
    policy = AugPolicy(stages=(Stage(choices=(Choice(operation="iso_noise", limit=1.0),)),))
    one, batch = both(policy, (224, 224), [orange] * 12, masks)
    theirs, ours = (views[0][..., 1].reshape(12, -1).std(axis=1) for views in (one, batch))
    assert theirs.max() > 0.5
    np.testing.assert_allclose(ours, theirs, rtol=0.05, atol=0.01)


def test_every_field_of_noise_is_one() -> None:
    images = torch.full((3, 3, 8, 8), 128, dtype=torch.uint8)
    fields = torch.tensor([0, FIELDS - 1, 0])
    found = gaussian(images, sigma=torch.full((3,), 0.1), field=fields)
    assert torch.equal(found[0], found[2])
    assert not torch.equal(found[0], found[1])


@pytest.mark.parametrize(
    ("name", "limit"), [("noise", 1e-6), ("iso_noise", 1e-6), ("clahe", 4.0), ("fog", 0.5)]
)
def test_what_is_drawn_afterwards_is_the_same(
    name: str, limit: float, pictures: list[Pixels], masks: list[Pixels]
) -> None:
    """Noise that is too weak to be seen, or another operation, and a draw from several, twice."""
    flips = tuple(Choice(operation=f"{way}_flip") for way in ("horizontal", "vertical"))
    tried = Stage(choices=(Choice(operation=name, limit=limit),))
    twist = Stage(choices=(Choice(operation="perspective", limit=0.1),))
    policy = AugPolicy(stages=(tried, Stage(choices=flips), tried, twist))
    one, batch = both(policy, SIZE, pictures, masks)
    assert apart(one[0], batch[0]).max() <= 3  # noise is rounded downwards
    assert (one[1] != batch[1]).mean() <= 0.001


def policies() -> dict[str, AugPolicy]:
    """Of every family, but for noise."""
    found = {"trivial_augment": trivial_augment(), "nested": nested(), **drawn(2)}
    allowed = set(OPERATIONS) - GRAINED
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


def pipelines(*names: str) -> AugPolicy:
    """One of these pipelines of a team's own, within a policy within a policy."""
    own = tuple(written(name, A.HorizontalFlip(), "pipelines=") for name in names)
    inner = AugPolicy(stages=(Stage(choices=own),))
    return AugPolicy(stages=(Stage(choices=(Choice(operation="invert"), inner)),))


def test_what_batches_lack_is_refused() -> None:
    config = TrialConfig.of(policy=pipelines("mild", "heavy"))
    with pytest.raises(InputError, match=r"without heavy, mild .*drop=\[heavy,mild\]"):
        config.replace(augment_on="batch")
    with pytest.raises(InputError, match="augment_on=bath"):
        config.replace(augment_on="bath")


def test_a_space_that_may_draw_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    config = TrialConfig.of(augment_on="batch")
    for name in READY:
        check_values(ready_space(name), config, {})
    (mild,) = pipelines("mild").pipelines()
    monkeypatch.setitem(PIPELINES, "mild", mild)
    monkeypatch.setattr("search.jobs.searched_choices.DRAWS", 0)  # which may all miss it
    space = ready_space("policies")
    with pytest.raises(InputError, match=r"do without mild .*drop=\[mild\]"):
        check_values(space, config, {})
    check_values(space, TrialConfig.of(), {})
    check_values(space.drop(["mild"]), config, {})


def test_a_space_may_draw_every_operation() -> None:
    choices = CategoricalDistribution(tuple(OPERATIONS))
    space = SearchSpace(name="own", params=(Param(name="stage1.operation", distribution=choices),))
    check_values(space, TrialConfig.of(augment_on="batch"), {"stages": 1})


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
