"""Shared fixtures: the embedded contest, small and real."""

from __future__ import annotations

import dataclasses
import functools
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.forks import forking_python

if TYPE_CHECKING:
    from spaces.trial_config import TrialConfig
    from trainables.data.contest import Contest
    from trainables.data.folds import Folds
    from trainables.data.image_store import ImageStore
    from trainables.training.context import TrainingContext

# The process that hands tests out loads this file, too: what imports for seconds, fixtures import.


GPU = "gpu"
"""The mark of tests that need one, and what is told to run them and nothing else."""


def pytest_configure(config: pytest.Config) -> None:
    """The suite is the same with and without a GPU: but for the tests of one, nothing sees it."""
    if config.option.markexpr != GPU:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # tests import it themselves


@pytest.fixture(scope="session", autouse=True)
def _made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What every folder or command needs: MLflow's tables are copies of the first database's, the
    digits are photographed and written once, and Hydra composes a command's defaults once."""
    from results.tracking import store as tracking_store
    from results.tracking.internals import make_tables
    from search.jobs import contest_data
    from search.options import composition
    from tests.composed import composed
    from trainables.data import digits
    from trainables.data.embedded import EMBEDDED

    made = tmp_path_factory.mktemp("tables") / "mlflow.db"
    written = tmp_path_factory.mktemp("digits") / "data"

    def make(database: Path) -> None:
        if not made.exists():
            make_tables(made)
        shutil.copy(made, database)

    def make_digits(folder: Path) -> Path:
        """Links, since nothing writes into images: a test that does works on a copy."""
        if not (folder / "train.csv").exists():
            shutil.copytree(digits.make_digits(written), folder, copy_function=os.link)
        return folder

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracking_store, "make_tables", make)
        patch.setattr(digits, "photographs", functools.cache(digits.photographs))
        patch.setattr(contest_data, "EMBEDDED", {**EMBEDDED, "digits": make_digits})
        patch.setattr(composition, "compose", composed)
        yield


@pytest.fixture(scope="session", autouse=True)
def _always_due() -> Iterator[None]:
    """Trainings in this process write a checkpoint after every epoch, however short it is."""
    from trainables.training import saving

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saving, "TIMES_AS_LONG", 0)
        yield


LONGEST = 100
"""Of a socket's path, in bytes."""


@pytest.fixture(scope="session", autouse=True)
def _forks(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Trainers are forks of a process that has imported what they import, where that can be."""
    if pytestconfig.option.markexpr == GPU:  # a process that has used one cannot be forked
        yield
        return
    folder = tmp_path_factory.mktemp("python")
    try:
        os.close(os.pidfd_open(os.getpid()))
        possible = len(os.fsencode(folder / "socket")) <= LONGEST
    except (AttributeError, OSError):  # another system, or a container that forbids it
        possible = False
    if not possible:
        yield
        return
    with forking_python(folder) as program, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", str(program))
        yield


@pytest.fixture(scope="session")
def digits_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from search.jobs.contest_data import read_contest
    from search.options.embedded import DigitsConfig

    return read_contest(DigitsConfig(), tmp_path_factory.mktemp("contest")).files.root


@pytest.fixture(scope="session")
def contest(digits_folder: Path) -> Contest:
    from trainables.data.contest import load_contest

    return load_contest(name="digits", root=digits_folder)


@pytest.fixture(scope="session")
def store(contest: Contest, tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    from trainables.data.store_building import build_store
    from trainables.portable.preparation import Preparation

    return build_store(contest, Preparation(side=44), tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="session")
def folds(contest: Contest) -> Folds:
    from trainables.data.folds import make_folds

    return make_folds(contest, 5)


@pytest.fixture(scope="session")
def task(contest: Contest, tmp_path_factory: pytest.TempPathFactory) -> TrainingContext:
    """What trainings of a second share: part of the digits."""
    from results.metrics import METRICS
    from trainables.data.folds import make_folds
    from trainables.data.store_building import build_store
    from trainables.portable.preparation import Preparation
    from trainables.training.context import TrainingContext

    few = dataclasses.replace(
        contest,
        train_images=contest.train_images[:200],
        labels=contest.labels[:200],
        test_images=contest.test_images[:50],
    )
    return TrainingContext(
        store=build_store(few, Preparation(side=44), tmp_path_factory.mktemp("few")),
        folds=make_folds(few, 5),
        classes=few.classes,
        metric=METRICS["macro_f1"],
    )


@pytest.fixture(scope="session")
def small() -> TrialConfig:
    """A training of seconds."""
    from spaces.trial_config import TrialConfig

    return TrialConfig.of(
        backbone="test_resnet",
        size=(32, 32),
        store_side=44,
        lr=5e-3,
        batch=32,
        epochs=2,
        warmup_epochs=1,
    )
