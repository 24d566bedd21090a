"""MixMatch: test images in two views, mixed with labelled ones; as resumable as any training."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from results.records.confirmation import confirmation_arms
from spaces.augmentation.trivial_augment import trivial_augment
from spaces.errors import InputError
from spaces.sections.data import Data
from spaces.trial_config import TrialConfig
from tests.tiny import build
from trainables.data.folds import Folds
from trainables.data.samplings import check_images
from trainables.inference.views import look
from trainables.training.actions import ACTIONS
from trainables.training.context import TrainingContext
from trainables.training.mixmatch import MixMatchState, sharpened


@pytest.fixture
def config(small: TrialConfig) -> TrialConfig:
    return small.replace(action="mixmatch", model="my:model", policy=trivial_augment())


@pytest.fixture
def context(task: TrainingContext) -> TrainingContext:
    return replace(task, own={"my:model": build})


def test_lower_temperatures_are_more_certain() -> None:
    said = torch.tensor([[0.6, 0.3, 0.1]])
    assert torch.allclose(sharpened(said, 1.0), said)
    assert torch.allclose(sharpened(said, 0.5), torch.tensor([[0.36, 0.09, 0.01]]) / 0.46)


def test_every_labelled_batch_has_as_many_test_images_in_two_views(
    config: TrialConfig, context: TrainingContext
) -> None:
    state = MixMatchState(config, context, 0)
    labelled, views = next(state.batches(1))
    assert len(labelled.pictures) == 32
    assert len(views) == 64
    assert len(list(state.batches(1))) == len(state.loader)
    # Without augmentation both views are the image itself, a test image.
    plain = MixMatchState(config.replace(policy=TrialConfig().policy), context, 0)
    _, same = next(plain.batches(1))
    assert (same[0::2] == same[1::2]).all()
    assert not (views[0::2] == views[1::2]).all()
    tests = [look(context.store.pixels[row], "", Data(size=(32, 32))) for row in context.test_rows]
    shown = {picture.numpy().tobytes() for picture in same}
    assert shown <= {np.ascontiguousarray(picture).tobytes() for picture in tests}


def test_the_loss_begins_with_the_labelled_one_and_rises(
    config: TrialConfig, context: TrainingContext
) -> None:
    state = MixMatchState(config, context, 0)
    batch = next(state.batches(1))

    def loss(update: int) -> float:
        np.random.seed(0)
        torch.manual_seed(0)
        value, images = state.batch_loss(batch, update)
        assert images == 96
        return float(value.detach())

    half = state.steps * config.run.epochs // 2
    first, rising, whole, later = (loss(u) for u in (0, half // 2, half, 2 * half))
    assert first < rising < whole == pytest.approx(later)
    assert rising - first == pytest.approx((whole - first) * (half // 2) / half, rel=1e-3)


def test_it_resumes_with_the_same_bits(
    config: TrialConfig, context: TrainingContext, tmp_path: Path
) -> None:
    train = ACTIONS.of(config.run)
    whole = [e.report["metrics"] for e in train(config, context, tmp_path / "whole")]
    list(itertools.islice(train(config, context, tmp_path / "halves"), 1))
    again = [e.report["metrics"] for e in train(config, context, tmp_path / "halves")]
    assert again == whole
    assert (tmp_path / "whole" / "test.npz").exists()


def test_it_needs_test_images_and_mixes_itself(
    config: TrialConfig, context: TrainingContext
) -> None:
    count = len(context.store.images)
    labels = np.arange(count) % 10
    every = Folds(images=tuple(context.store.images), labels=labels, fold=np.arange(count) % 5)
    none = replace(context, folds=every)
    with pytest.raises(InputError, match="action=mixmatch learns from test images, and there are"):
        check_images(config, none)
    with pytest.raises(InputError, match="mix=cutmix: action=mixmatch mixes images itself"):
        TrialConfig.of(action="mixmatch", mix="cutmix")


def test_the_matched_control_trains_on_labels_alone() -> None:
    base = TrialConfig()
    winner = base.replace(action="mixmatch", temperature=0.7, lr=5e-3)
    assert confirmation_arms(winner, base)["without MixMatch"] == winner.replace(action="train")
    own = base.to_json()
    own["run"] |= {"kind": "theirs", "more": 1}  # an action of a team's is theirs
    assert "without MixMatch" not in confirmation_arms(TrialConfig.from_json(own), base)
