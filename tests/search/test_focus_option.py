"""``data.focus=``: boxes that mixing keeps to, from the table to the trainers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from search.execution.trial_context import trial_context
from search.jobs.preparation import prepare
from search.options.command_line import parse
from search.options.training import TrainConfig
from spaces.errors import InputError
from trainables.portable.preparation import SIDES
from trainables.training.state import TrainingState

OPTIONS = ("data=csv", "fix.backbone=test_resnet", "fix.size=32", "fix.batch=8", "epochs=1")
FOCUS = "data.focus=[left,top,right,bottom]"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty images of 60 x 40 pixels, each with a box; one reaches outside in ``wide``."""
    folder, rng = tmp_path_factory.mktemp("boxed"), np.random.default_rng(0)
    rows = []
    for i in range(20):
        cv2.imwrite(str(folder / f"{i}.png"), rng.integers(0, 256, (40, 60, 3), dtype=np.uint8))
        rows.append((f"{i}.png", "ab"[i % 2], 3 * (i % 5), 4, 30, 20 + i, 61 if i == 7 else 60))
    table = pd.DataFrame(rows, columns=["image", "label", *SIDES, "wide"])
    table.to_csv(folder / "train.csv", index=False)
    return folder


def prepared(root: Path, runs: Path, *arguments: str) -> Any:
    words = [f"runs={runs}", f"data.root={root}", "data.test=", *OPTIONS, *arguments]
    return prepare(parse(TrainConfig, words), "train")


def test_boxes_come_to_the_trainers(root: Path, tmp_path: Path) -> None:
    ready = prepared(root, tmp_path, FOCUS, "fix.mix=cutmix_box")
    assert ready.job.focus == ready.baseline.data.focus
    assert (tmp_path / root.name / ready.job.focus).is_file()
    assert ready.baseline.data.boxes == ""
    task = trial_context.__wrapped__(ready.job)
    assert task.focus["7.png"] == (6, 4, 30, 27)
    training = TrainingState(ready.baseline, task, 0)
    batch = next(training.batches(1))
    assert batch.boxes is not None
    assert batch.boxes[:, 1].tolist() == [3] * 8  # 4 of 40 pixels, in 32
    assert int(batch.boxes[:, 2].max()) == 16
    plain = TrainingState(ready.baseline.replace(mix="cutmix"), task, 0)
    assert next(plain.batches(1)).boxes is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fix.mix=cutmix_box"], r"there are no boxes; data\.focus= names their columns"),
        ([FOCUS.replace("bottom", "botom")], r"unknown column 'botom' .*did you mean bottom"),
        (["data.focus=[left,top]"], "data.focus=.*: must be four columns"),
        ([FOCUS, FOCUS.replace("focus", "box")], "data.box= cuts images to boxes and data.focus="),
        ([FOCUS, "prepare=math:sqrt"], "prepare=math:sqrt may move what data.focus= tells"),
        ([FOCUS.replace("right", "wide")], r"data\.focus=: 7\.png: the box .* reaches outside the "
         "image of 60 x 40"),
        ([FOCUS, "data.mask=label"], "data.focus= is for classes of whole images"),
        (["fix.focus=a.csv"], r"focus is not a parameter: set it with data\.focus="),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_before_anything_is_trained(
    arguments: list[str], words: str, root: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        prepared(root, tmp_path, *arguments)
    assert not list(tmp_path.rglob("ledger.jsonl"))
