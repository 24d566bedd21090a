"""Corrections of masks whose classes overlap: a class is there in a region, or it is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from results.masks.counts import VOID
from results.masks.planes import Planes
from results.masks.rle import decode, encode
from results.masks.truth import Truth
from results.predictions import MASKS, SIZES, Head, Predictions
from results.tasks.tasks import TASKS
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from tests.overlaps import CLASSES, RUN_LENGTHS, overlaps
from tests.overlaps import SIZES as SHAPES
from tests.trainables.conftest import SMALL, context_of
from tests.trainables.test_overlapping_masks import read
from trainables.data.mask_corrections import MaskCorrections, read_mask_corrections
from trainables.data.training_set import training_set
from trainables.portable.preparation import Preparation
from trainables.tasks.segmentation import planes_of
from trainables.training.context import TrainingContext
from trainables.training.fit import fit
from trainables.training.scores import beside_corrected

TOP = " ".join(f"{48 * column + 1} 10" for column in range(20))
"""The upper 10 rows of the first 20 columns of an image of 48 rows."""


def apart(folder: Path) -> Path:
    """Writes the contest with bars that end where a disc begins, so that nobody drew both."""
    overlaps(folder)
    table = pd.read_csv(folder / "train.csv", keep_default_na=False)
    for first in range(0, len(table), 2):
        size = SHAPES[first // 2 // 4 % 2]
        bar, disc = (decode(str(table.loc[first + k, "rle"]), *size, "column") for k in (0, 1))
        table.loc[first, "rle"] = encode(bar & ~disc, "column")
    table.to_csv(folder / "train.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> TrainingContext:
    folder = tmp_path_factory.mktemp("apart")
    contest = read(apart(folder / "scenes"), *RUN_LENGTHS)
    return context_of(contest, Preparation(side=0, shape="native"), folder)


def corrections(context: TrainingContext, folder: Path, text: str) -> MaskCorrections:
    path = folder / "corrections.csv"
    path.write_text("image,use,predicted,region\n" + text)
    assert context.truth is not None
    return read_mask_corrections(path, context.folds.images, context.folds.labels, context.truth)


def test_regions_are_of_a_class_or_not_and_others_stay(
    scenes: TrainingContext, tmp_path: Path
) -> None:
    """A set that nobody drew gets a number; the same region may be corrected for each class."""
    truth = scenes.truth
    assert truth is not None
    assert truth.sets == ((), (0,), (1,))
    whole = "1 3072"
    changed = corrections(
        scenes,
        tmp_path,
        f"train/001.png,predicted,bar,{TOP}\ntrain/001.png,predicted,disc,{TOP}\n"
        f"train/001.png,void,bar,2881 48\ntrain/001.png,yes,disc,2881 48\n"
        f"train/002.png,predicted,not disc,{whole}\n",
    )
    assert changed.sets == ((), (0,), (1,), (0, 1))
    assert changed.summary["relabelled"] == 2
    for factor in (1, 2):
        given = np.kron(truth.masks[1], np.ones((factor, factor), np.uint8))
        found = changed.corrected(1, given)
        expected = given.copy()
        expected[: 10 * factor, : 20 * factor] = 3
        expected[:, 60 * factor : 61 * factor] = VOID
        np.testing.assert_array_equal(found, expected)
    for row, image in ((2, truth.masks[2]), (3, truth.masks[3])):
        expected = np.where((row == 2) & (image == 2), 0, image)
        np.testing.assert_array_equal(changed.corrected(row, image), expected)
    void = truth.masks[1].copy()
    void[:5] = VOID
    assert (changed.corrected(1, void)[:5] == VOID).all()
    again = changed.truth(truth, [1, 2])
    assert again.actual(0)[:10, :20].all()
    assert not again.actual(1)[..., 1].any()


def test_trainings_learn_sets_that_nobody_drew(scenes: TrainingContext, tmp_path: Path) -> None:
    changed = corrections(
        scenes,
        tmp_path,
        f"train/001.png,predicted,bar,{TOP}\ntrain/001.png,predicted,disc,{TOP}\n",
    )
    context = replace(scenes, corrections=changed)
    # Fold 3 is held out, so that the image is trained on.
    fold = int((scenes.folds.fold[1] + 1) % 4)
    config = TrialConfig.of(labels="relabel", corrections=changed.digest, fold=fold)
    learned = training_set(config, context)
    assert learned.pixels is not None
    assert learned.corrected is not None
    assert context.truth is not None
    mask = learned.corrected(1, context.truth.masks[1])
    targets = planes_of(torch.from_numpy(mask[None]), torch.from_numpy(learned.pixels))[0].numpy()
    assert (targets[:, 0, :10, :20] == 1).all()
    assert (targets[:, 1, :10, :20] == 0).all()
    given = training_set(config.replace(labels="given"), context)
    assert given.pixels is not None
    np.testing.assert_array_equal(learned.pixels[:3], given.pixels[:3])
    assert given.corrected is None
    native = {**SMALL, "size": 32, "framing": "windows", "shape": "native", "epochs": 1}
    made = TrialConfig.of(**native, labels="relabel", corrections=changed.digest, fold=fold)
    (last,) = fit(made, context, tmp_path / "fit")
    assert np.isfinite(last.report["metrics"]["val/mean_iou_corrected"])


def test_the_score_beside_corrected_masks(scenes: TrainingContext, tmp_path: Path) -> None:
    changed = corrections(scenes, tmp_path, f"train/001.png,predicted,bar,{TOP}\n")
    truth = scenes.truth
    assert truth is not None
    rows = np.array([0, 1], np.int64)
    said = Planes.of(np.asarray(255 * truth.actual(row), np.uint8) for row in (0, 1))
    heads: dict[str, Head] = {MASKS: said, SIZES: truth.masks.shapes[:2].astype(np.float32)}
    given = Predictions(images=truth.images[:2], classes=CLASSES, heads=heads)
    judged = TASKS["multilabel_segmentation"].judged(given, truth, edges=False)
    beside = beside_corrected(judged, rows, replace(scenes, corrections=changed))
    np.testing.assert_array_equal(beside[0], judged.judged[0])
    already = int(truth.actual(1)[:10, :20, 0].sum())
    assert judged.judged[1, 0] - beside[1, 0] == 200 - already
    assert beside[1, 1] == judged.judged[1, 1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("train/001.png,predicted,not bars,1 9\n", "row 2, column predicted.*did you mean not bar"),
        (
            "train/001.png,predicted,bar,1 9\ntrain/001.png,predicted,not bar,1 9\n",
            "row 3: 'train/001.png' is already listed in row 2",
        ),
        ("train/001.png,predicted,bar,5 9999\n", "row 2: run '5 9999' ends beyond the 3072"),
    ],
)
def test_bad_tables_are_refused(
    text: str, words: str, scenes: TrainingContext, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        corrections(scenes, tmp_path, text)


def test_more_sets_than_numbers_are_told(tmp_path: Path) -> None:
    """Eight classes, of which every set but one was drawn."""
    bits = np.arange(255, dtype=np.uint8)
    sets = tuple(tuple(k for k in range(8) if value >> k & 1) for value in bits.tolist())
    truth = Truth(
        images=("a",),
        classes=tuple("stuvwxyz"),
        background=None,
        numbers=tuple(range(8)),
        void=-1,
        masks=Planes.of([np.resize(bits, (16, 16))]),
        sets=sets,
    )
    path = tmp_path / "c.csv"
    path.write_text("image,use,predicted,region\na,predicted,z,1 256\n")
    with pytest.raises(InputError, match=r"c\.csv: more than 255 different sets"):
        read_mask_corrections(path, truth.images, np.zeros(1, np.int64), truth)
