"""Pseudo-masks that say how likely classes are, and labelled masks beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from results.masks.counts import VOID
from results.masks.planes import Planes
from spaces.augmentation.operations import OPERATIONS
from spaces.trial_config import TrialConfig
from tests.discs import SIZES
from tests.overlaps import RUN_LENGTHS, overlaps
from tests.trainables.conftest import SMALL, context_of
from tests.trainables.test_batches import policy_of_one
from tests.trainables.test_overlapping_masks import read
from trainables.augment import Augmenter
from trainables.augment.batches import augmented
from trainables.augment.drawing import Drawing
from trainables.augment.rounds import rounds_of
from trainables.data.loader import TrainingLoader
from trainables.data.mask_teachers import RIGHT, Labelled, MaskTeachers
from trainables.data.soft_masks import CertainMasks
from trainables.data.training_set import TrainingSet, training_set
from trainables.portable.preparation import Preparation
from trainables.tasks.segmentation import planes_of
from trainables.tasks.tasks import TRAINING_TASKS
from trainables.training.context import TrainingContext
from trainables.training.fit import fit

TESTS = 8
SOFT = {"pseudo": "soft", "teachers": "p", "pseudo_weight": 0.5, "pseudo_threshold": 0.7}


@pytest.fixture(scope="module")
def overlapping(tmp_path_factory: pytest.TempPathFactory) -> TrainingContext:
    folder = tmp_path_factory.mktemp("overlaps")
    overlaps(folder / "scenes")
    return context_of(read(folder / "scenes", *RUN_LENGTHS), Preparation(side=64), folder)


def taught(context: TrainingContext, left: list[int], right: list[int]) -> TrainingContext:
    """Teachers who say the same of all pixels of the left halves, and of the right ones."""
    count, truth = len(context.folds.labels), context.truth
    assert truth is not None
    masks = []
    for image in range(TESTS):
        height, width = SIZES[image // 4 % 2]
        mask = np.empty((height, width, len(left)), np.uint8)
        mask[:, : width // 2], mask[:, width // 2 :] = left, right
        masks.append(mask)
    nothing = np.zeros((count, 256), np.uint8)
    teachers = MaskTeachers(
        test={0: Labelled.of(Planes.of(masks), truth, soft=True)},
        labels=nothing,
        confidence=nothing,
        right=np.full_like(nothing, RIGHT),
    )
    return replace(context, teachers={"p": teachers})


def targets_of(learned: TrainingSet, mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    assert learned.pixels is not None
    found = planes_of(torch.from_numpy(mask[None]), torch.from_numpy(learned.pixels))
    return np.asarray(found[0].numpy(), np.float32)


def pseudo_mask(learned: TrainingSet, context: TrainingContext) -> NDArray[np.uint8]:
    assert learned.masks is not None
    return learned.masks(int(context.test_rows[0]), SIZES[0])


def test_a_pixel_is_of_classes_in_shares(squashed: TrainingContext, config: TrialConfig) -> None:
    context = taught(squashed, [51, 204, 0], [100, 90, 65])
    made = config.replace(**SOFT, weighting="balanced")
    learned = training_set(made, context)
    mask = pseudo_mask(learned, context)
    assert mask.shape == (*SIZES[0], 4)
    found, half = targets_of(learned, mask), SIZES[0][1] // 2
    assert learned.pixels is not None
    weights = learned.pixels.max(axis=0)
    expected = np.array([0.2, 0.8, 0], np.float32) * weights
    np.testing.assert_allclose(found[:, 3, 3], expected, rtol=1e-6)
    assert (found[:, :, :half] == found[:, :1, :1]).all()
    assert not found[:, :, half:].any()  # of which teachers are not sure enough
    hard = pseudo_mask(training_set(made.replace(pseudo="hard"), context), context)
    np.testing.assert_array_equal(mask[..., 0], hard)


def test_where_classes_overlap_each_is_there_in_a_share(
    overlapping: TrainingContext,
) -> None:
    context = taught(overlapping, [204, 51], [250, 130])
    learned = training_set(TrialConfig.of(**SMALL, store_side=64, **SOFT), context)
    mask = pseudo_mask(learned, context)
    found = targets_of(learned, mask)
    np.testing.assert_allclose(found[:, :, 3, 3], [[0.8, 0.2], [0.2, 0.8]], rtol=1e-6)
    assert not found[..., -1].any()


@pytest.mark.parametrize("kind", ["squashed", "overlapping"])
def test_labelled_images_are_learned_as_ever(kind: str, request: pytest.FixtureRequest) -> None:
    context: TrainingContext = request.getfixturevalue(kind)
    truth, classes = context.truth, len(context.classes)
    assert truth is not None
    context = taught(context, [255] + [0] * (classes - 1), [255] + [0] * (classes - 1))
    made = TrialConfig.of(**SMALL, store_side=64, **SOFT, weighting="balanced")
    soft, hard = training_set(made, context), training_set(made.replace(pseudo="hard"), context)
    assert soft.corrected is not None
    assert hard.corrected is None
    masks = context.store.masks
    assert masks is not None
    for row in range(8):
        mask = np.array(masks[row])
        mask[:2] = VOID
        ours = targets_of(soft, soft.corrected(row, mask))
        np.testing.assert_array_equal(ours, targets_of(hard, mask))


MOVING = sorted(name for name, operation in OPERATIONS.items() if operation.moves_pixels)


@pytest.mark.parametrize("name", MOVING)
def test_geometry_moves_all_planes_alike(name: str) -> None:
    """By image and by batch: behind a number lies what it stands for, but where it is void."""
    rng = np.random.default_rng(0)
    members = np.eye(7, dtype=bool)
    picture = rng.integers(0, 255, (64, 64, 3), np.uint8)
    numbers = np.kron(rng.integers(0, 7, (8, 8)), np.ones((8, 8))).astype(np.uint8)
    mask = CertainMasks(members=members, corrected=None)(0, numbers)
    policy = policy_of_one(name, 0.8)

    def check(moved: NDArray[np.uint8]) -> None:
        known = moved[..., 0] != VOID
        assert moved.shape == (32, 32, 8)
        assert known.any()
        wanted = 255 * members[moved[..., 0][known]]
        np.testing.assert_array_equal(moved[..., 1:][known], wanted)

    for index in range(4):
        plain = Augmenter(policy, (32, 32), 0, 64)(picture, 1, index, numbers)["mask"]
        moved = Augmenter(policy, (32, 32), 0, 64)(picture, 1, index, mask)["mask"]
        np.testing.assert_array_equal(moved[..., 0], plain)
        check(moved)
        view, steps = Drawing(policy, (32, 32), 0, 64).drawn(picture, 1, index, mask)
        given = torch.from_numpy(view["image"][None]), torch.from_numpy(view["mask"][None])
        _, masks = augmented(*given, rounds_of([steps]), "black", torch.device("cpu"))
        assert masks is not None
        check(masks[0].numpy())


@pytest.mark.parametrize("kind", ["squashed", "windows", "overlapping"])
def test_trainings_learn_from_them(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    context = request.getfixturevalue("native" if kind == "windows" else kind)
    made: TrialConfig = request.getfixturevalue("windows" if kind == "windows" else "config")
    classes = len(context.classes)
    context = taught(context, [210] + [20] * (classes - 1), [90] * classes)
    made = made.replace(**SOFT, policy=policy_of_one("rotate", 0.5), mix="cutmix")
    context.task.check(made)
    learned = training_set(made, context)
    for batch in TrainingLoader(made, context.store, learned, 0).epoch(1):
        assert batch.masks is not None
        assert batch.masks.shape[1:] == (*made.data.size, 1 + classes)
    (*_, last) = fit(made.replace(epochs=1), context, tmp_path)
    assert last.report["metrics"]["train/pseudo_images"] == TESTS
    assert np.isfinite(last.report["metrics"]["val/mean_iou"])


def test_probabilities_are_stored_where_they_are_learned(
    overlapping: TrainingContext, tmp_path: Path
) -> None:
    teachers = taught(overlapping, [204, 51], [130, 130]).teachers["p"]
    assert isinstance(teachers, MaskTeachers)
    again = MaskTeachers.read(teachers.write(tmp_path))
    assert again.digest == teachers.digest
    ours, theirs = teachers.of(0), again.of(0)
    assert ours is not None
    assert ours.shares is not None
    assert theirs is not None
    assert theirs.shares is not None
    for a, b in zip(ours.shares, theirs.shares, strict=True):
        np.testing.assert_array_equal(a, b)
    TRAINING_TASKS["multilabel_segmentation"].check(
        TrialConfig.of(model="smp", size=(32, 32), pseudo="soft", teachers="p")
    )
