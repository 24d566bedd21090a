"""Shared fixtures: the contest of discs, its images at one size and at their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from results.masks.mask_form import MaskForm
from results.masks.metrics import MASK_METRICS
from spaces.trial_config import TrialConfig
from tests.discs import CLASSES, discs
from trainables.data.contest import Contest, load_contest
from trainables.data.folds import make_folds
from trainables.data.store_building import build_store
from trainables.portable.preparation import Preparation
from trainables.tasks.tasks import TRAINING_TASKS
from trainables.training.context import TrainingContext

SMALL = {
    "model": "smp",
    "backbone": "test_resnet",
    "decoder": "pspnet",
    "decoder_width": 0.25,
    "size": "32x64",
    "batch": 8,
    "epochs": 2,
    "warmup_epochs": 0,
    "lr": 5e-3,
}


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Contest:
    folder = discs(tmp_path_factory.mktemp("discs"))
    form = MaskForm(column="mask", background="ground")
    return load_contest(
        name="discs", root=folder, masks=form, classes=CLASSES, group="sequence", kept=folder
    )


def context_of(contest: Contest, preparation: Preparation, folder: Path) -> TrainingContext:
    return TrainingContext(
        task=TRAINING_TASKS[contest.task],
        store=build_store(contest, preparation, folder),
        folds=make_folds(contest, 4),
        classes=contest.classes,
        metric=MASK_METRICS["mean_iou"],
        truth=contest.truth,
    )


@pytest.fixture(scope="session")
def squashed(scenes: Contest, tmp_path_factory: pytest.TempPathFactory) -> TrainingContext:
    return context_of(scenes, Preparation(side=64), tmp_path_factory.mktemp("squashed"))


@pytest.fixture(scope="session")
def native(scenes: Contest, tmp_path_factory: pytest.TempPathFactory) -> TrainingContext:
    preparation = Preparation(side=0, shape="native")
    return context_of(scenes, preparation, tmp_path_factory.mktemp("native"))


@pytest.fixture
def config() -> TrialConfig:
    return TrialConfig.of(**SMALL, store_side=64)


@pytest.fixture
def windows() -> TrialConfig:
    return TrialConfig.of(
        **{**SMALL, "size": 32}, framing="windows", shape="native", preprocess="gray_world"
    )
