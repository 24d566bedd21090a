"""Shared fixtures: the embedded contest, small and real."""

from __future__ import annotations

from pathlib import Path

import pytest

from results.metrics import METRICS
from spaces.trial_config import TrialConfig
from trainables.data.contest import Contest, load_contest
from trainables.data.digits import make_digits
from trainables.data.folds import Folds, make_folds
from trainables.data.image_store import ImageStore, build_store
from trainables.training.context import TrainingContext


@pytest.fixture(scope="session")
def digits_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_digits(tmp_path_factory.mktemp("contest") / "data")


@pytest.fixture(scope="session")
def contest(digits_folder: Path) -> Contest:
    return load_contest(name="digits", root=digits_folder)


@pytest.fixture(scope="session")
def store(contest: Contest, tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    return build_store(contest, 44, tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="session")
def folds(contest: Contest) -> Folds:
    return make_folds(contest, 5)


@pytest.fixture(scope="session")
def task(contest: Contest, store: ImageStore, folds: Folds) -> TrainingContext:
    return TrainingContext(
        store=store, folds=folds, classes=contest.classes, metric=METRICS["macro_f1"]
    )


@pytest.fixture(scope="session")
def small() -> TrialConfig:
    """A training of seconds."""
    return TrialConfig.of(
        backbone="test_resnet",
        size=(32, 32),
        store_side=44,
        lr=5e-3,
        batch=32,
        epochs=2,
        warmup_epochs=1,
    )
