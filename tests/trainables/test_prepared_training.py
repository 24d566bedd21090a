"""Prepared images through training, predictions, parity, and the exported script."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from results.metrics import METRICS
from results.predictions import Predictions
from search.options.user_code import load_function
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from trainables.data.boxes import boxes_file
from trainables.data.contest import Contest, load_contest
from trainables.data.folds import make_folds
from trainables.data.image_store import store_side
from trainables.data.loader import evaluation_loader
from trainables.data.prepared_images import PreparedImages
from trainables.data.store_building import build_store
from trainables.inference.export import Trained, write_export
from trainables.inference.parity import check_parity
from trainables.networks.timm_network import check_backbone
from trainables.portable.mlflow_loader import Model
from trainables.portable.predictor import Predictor
from trainables.portable.preparation import SIDES, Preparation
from trainables.tasks.tasks import TRAINING_TASKS
from trainables.training.context import TrainingContext
from trainables.training.fit import fit

CONFIG = TrialConfig.of(
    backbone="test_resnet",
    size=(32, 48),
    predict_size=(40, 60),
    store_side=64,
    shape="crop",
    interpolation="bicubic",
    prepare="dyed:dye",
    preprocess="clahe",
    batch=4,
    epochs=1,
    warmup_epochs=0,
)


@dataclass(frozen=True, kw_only=True)
class Done:
    """A training and what it saw."""

    config: TrialConfig
    images: PreparedImages
    contest: Contest
    context: TrainingContext
    folder: Path


@pytest.fixture(scope="module")
def dyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a team's own module."""
    folder = tmp_path_factory.mktemp("team")
    (folder / "dyed.py").write_text(
        "def dye(picture):\n    return picture[::-1] // 2 + 100\n"  # a view, which has to do, too
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield folder


@pytest.fixture(scope="module")
def trained(dyed: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A network trained for an epoch on boxes of twelve images of many proportions."""
    root, rng = tmp_path_factory.mktemp("boxed"), np.random.default_rng(0)
    rows = []
    for i in range(12):
        height, width = rng.integers(60, 140, 2)
        picture = cv2.resize(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), (width, height))
        cv2.imwrite(str(root / f"{i}.png"), picture)
        rows.append((f"{i}.png", "ab"[i % 2], 5, 3, width - i, height - 2 * i))
    table = pd.DataFrame(rows, columns=["image", "label", *SIDES])
    table[:8].to_csv(root / "train.csv", index=False)
    table[8:].drop(columns="label").to_csv(root / "test.csv", index=False)
    contest = load_contest(name="c", root=root, box=SIDES)
    config = CONFIG.replace(boxes=boxes_file(contest.boxes))
    own = load_function("dyed:dye", "prepare")
    preparation = Preparation.of(config.data.to_json(), own, "dyed:dye 1")
    context = TrainingContext(
        store=build_store(contest, preparation, root / "store"),
        folds=make_folds(contest, 2),
        classes=contest.classes,
        metric=METRICS["accuracy"],
    )
    for _ in fit(config, context, root / "trial"):
        pass
    images = PreparedImages(files=contest.files, boxes=contest.boxes, preparation=preparation)
    return Done(
        config=config, images=images, contest=contest, context=context, folder=root / "trial"
    )


def test_predictions_are_made_at_their_own_size(trained: Done) -> None:
    config, store = trained.config, trained.context.store
    batch, *_ = evaluation_loader(config, store, [0, 1], 0)
    assert batch.pictures.shape == (2, 40, 60, 3)
    batch, *_ = evaluation_loader(config.replace(predict_size=0), store, [0, 1], 0)
    assert batch.pictures.shape == (2, 32, 48, 3)


def test_files_reproduce_what_was_predicted(trained: Done) -> None:
    build = functools.partial(trained.context.task.network, own={})
    classes, task = trained.contest.classes, trained.context.task
    off = check_parity(trained.config, trained.folder, trained.images, classes, build, task)
    assert off < 1e-6


def test_an_export_stands_alone_with_boxes_and_an_own_function(
    trained: Done, dyed: Path, tmp_path: Path
) -> None:
    root = trained.folder.parent
    write_export(
        tmp_path / "model",
        [Trained(config=trained.config, folder=trained.folder, arm="t")],
        classes=trained.contest.classes,
        about={},
        threads=1,
        build=functools.partial(trained.context.task.network, own={}),
        task=TRAINING_TASKS["classification"],
        numbers=(),
    )
    command = [sys.executable, str(tmp_path / "model/predict.py"), str(root)]

    def predict(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *arguments], cwd=dyed, capture_output=True, text=True, check=False
        )

    pd.read_csv(root / "test.csv").to_csv(dyed / "list.csv", index=False, sep=";")
    done = predict("--list", "list.csv", "--prepare", "dyed:dye", "--out", "out.csv")
    assert done.returncode == 0, done.stderr
    stored = Predictions.read(trained.folder / "test.npz")
    table = pd.read_csv(dyed / "out.csv", dtype=str)
    assert tuple(table["image"]) == stored.images
    found = table[list(stored.classes)].to_numpy().astype(np.float32)
    np.testing.assert_array_equal(found, stored.probabilities)
    refused = predict("--prepare", "dyed:dye")
    assert refused.returncode == 2
    assert "look at boxes: --list a table with left, top, right, bottom" in refused.stderr
    # The same within this process, which saves seconds.
    own = load_function("dyed:dye", "prepare")
    model = Model(Predictor(tmp_path / "model", threads=1, own=own))
    boxes = [trained.contest.boxes[name] for name in stored.images]
    rows = pd.DataFrame(boxes, columns=list(SIDES))
    rows["image"] = [str(root / name) for name in stored.images]
    np.testing.assert_array_equal(model.predict(rows).to_numpy(), stored.probabilities)
    with pytest.raises(ValueError, match="look at boxes"):
        model.predict(rows[["image"]])
    with pytest.raises(ValueError, match="prepared by dyed:dye: give the same"):
        Predictor(tmp_path / "model", threads=1)


def test_sizes_of_predictions_that_make_no_sense() -> None:
    for settings, words in {
        ("squash", (4, 4)): "predict_size must be at least 8",
        ("pad", (96, 96)): "predict_size must be in the proportions of size=64x96",
        ("squash", (300, 300)): "store_side must be 0 or at least the largest size 300",
    }.items():
        shape, size = settings
        with pytest.raises(InputError, match=words):
            TrialConfig.of(size=(64, 96), predict_size=size, store_side=128, shape=shape)
    with pytest.raises(InputError, match=r"boxes=.\.\./b\.csv.: only letters"):
        TrialConfig.of(boxes="../b.csv")
    assert TrialConfig.of(size=(64, 96), predict_size="0").data.prediction_size == (64, 96)
    assert TrialConfig.of(predict_size=256).flat()["predict_size"] == "256x256"
    assert TrialConfig().flat()["predict_size"] == "0"
    assert store_side(128, 160) == store_side(128)
    assert store_side(128, 192) == 192


def test_networks_of_one_size_predict_at_no_other() -> None:
    check_backbone("test_vit", (32, 32), (32, 32))
    check_backbone("test_vit", (32, 32), (0, 0))
    check_backbone("test_resnet", (32, 32), (48, 48))
    check_backbone("test_resnet", (64, 64), first=(32, 32))
    with pytest.raises(InputError, match="first_share= lets test_vit begin with images of 32x32"):
        check_backbone("test_vit", (64, 64), first=(32, 32))
    with pytest.raises(InputError, match="predict_size=48x48: test_vit takes images of the size"):
        check_backbone("test_vit", (32, 32), (48, 48))
