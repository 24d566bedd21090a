"""Masks whose classes overlap, from a promotion's predictions to submissions, by the commands."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from results.leaderboard.leaderboard import Leaderboard
from results.masks.label_map import class_planes
from results.masks.pixels import sampled
from results.masks.rle import decode
from results.predictions import Predictions
from results.records.trials import Search
from search.competition import scores, submissions
from search.competition.scores import score
from search.competition.submissions import submit
from search.competition.teachers import find_teachers
from search.jobs.contest_data import read_contest
from search.jobs.preparation import prepare
from search.options.analysis import LabelsConfig, ScoreConfig, SubmitConfig
from search.options.command_line import parse
from search.options.ensembles import PostprocessConfig
from search.options.training import TrainConfig
from search.promotion import suspects_report
from search.promotion.postprocessing import postprocess
from search.promotion.suspects_report import suspect_labels
from spaces.errors import InputError
from tests.mask_promotion import CONFIG, recorded
from tests.overlaps import CLASSES, RUN_LENGTHS, overlaps
from trainables.data.contest import Contest
from trainables.data.contest_corrections import stored_corrections
from trainables.data.folds import Folds
from trainables.data.mask_corrections import read_mask_corrections
from trainables.data.mask_teachers import RIGHT, WRONG, MaskTeachers
from trainables.portable.mask_predictor import mask_places, write_mask

OPTIONS = (*RUN_LENGTHS, "holdout.folds=4", "data.baseline.size=32", "data.baseline.epochs=2")
SHY = 90
"""Probability, in 255ths, of pixels that are of the first class."""


def shy(row: int, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Knows both classes, but is never sure of the first one."""
    return np.asarray(np.where(mask == 1, [SHY, 230], [10, 20]), np.uint8)


@pytest.fixture(scope="module")
def promoted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Contest]:
    """The folder of runs with a promotion whose predictions are constructed."""
    folder = tmp_path_factory.mktemp("overlaps")
    masks = overlaps(folder / "scenes")
    options = ["data=csv", f"data.root={folder / 'scenes'}", *RUN_LENGTHS]
    contest = read_contest(parse(TrainConfig, options).data, folder / "runs")
    tests = [masks[image] for image in contest.test_images]
    recorded(folder / "runs", contest, tests, shy, [*RUN_LENGTHS])
    return folder / "runs", contest


@pytest.fixture
def runs(promoted: tuple[Path, Contest], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(submissions, "_check_members", lambda members, config: 0.0)
    monkeypatch.setattr(scores, "track_scores", lambda *_: "")
    return str(promoted[0])


def said(call: Any, config: Any) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert call(config) == 0
    return out.getvalue()


def handed_in(runs: str, source: str) -> pd.DataFrame:
    board = Leaderboard.read(Path(runs) / "scenes")
    (submission,) = [s for s in board.submissions.values() if s.source == source]
    return pd.read_csv(submission.file, dtype=str, keep_default_na=False)


def test_what_is_handed_in_overlaps_where_predictions_do(
    promoted: tuple[Path, Contest], runs: str
) -> None:
    said(submit, SubmitConfig(runs=runs, select="promotion:p"))
    table = handed_in(runs, "promotion")
    stored = Predictions.read(promoted[0] / "scenes/p/test.npz")
    both = 0
    for image, mask in zip(stored.images, stored.masks, strict=True):
        height, width = mask.shape[:2]
        wanted = class_planes(mask, height, width)
        both += int(wanted.all(axis=2).sum())
        for index, name in enumerate(CLASSES):
            row = table[(table["image"] == image) & (table["class"] == name)]
            inside = decode(row["rle"].item(), height, width, "column")
            np.testing.assert_array_equal(inside, wanted[..., index] == 1)
    assert both == 0  # of the first class nothing reaches one half


def test_thresholds_are_chosen_for_each_class(promoted: tuple[Path, Contest], runs: str) -> None:
    told = said(postprocess, PostprocessConfig(runs=runs))
    assert re.search(r"thresholds +bar 0\.3 ", told), told
    (record,) = Leaderboard.read(promoted[0] / "scenes").postprocesses.values()
    assert record.settings.weights == ()
    assert record.settings.thresholds == (0.3, 0.5)
    said(submit, SubmitConfig(runs=runs, select=f"postprocess:{record.id}"))
    table = handed_in(runs, "postprocess")
    truth = pd.read_csv(promoted[1].files.root / "solution.csv", dtype=str, keep_default_na=False)
    assert table["rle"].tolist() == truth["rle"].tolist()  # overlaps included
    solution = str(promoted[1].files.root / "solution.csv")
    told = said(score, ScoreConfig(runs=runs, solution=solution))
    assert "scored on 8 of 8 test images" in told
    board = Leaderboard.read(promoted[0] / "scenes")
    assert {s.source: s.public for s in board.submissions.values()}["postprocess"] == 1


def test_teachers_are_right_where_the_whole_set_is(promoted: tuple[Path, Contest]) -> None:
    runs, contest = promoted
    folds = Folds.read(Search.read(runs / "scenes/p").folds_file)
    student = CONFIG.replace(pseudo="hard", teachers="p")
    found = find_teachers([student], runs / "scenes", contest, folds)["p"]
    assert isinstance(found, MaskTeachers)
    assert contest.truth is not None
    assert (found.confidence == 255 - SHY).sum() == (found.right == WRONG).sum() > 0
    for row, image in enumerate(folds.images):
        true = sampled(contest.truth.actual(contest.truth.rows[image]))
        # Bars are never told, so that pixels of them are told as discs or as nothing.
        np.testing.assert_array_equal(found.labels[row], np.where(true[:, 1] == 1, 2, 0))
        np.testing.assert_array_equal(found.right[row] == RIGHT, true[:, 0] == 0)
    for fold in range(4):
        said = found.of(fold)
        assert said is not None
        assert len(said.labels) == len(contest.test_images)


CONTRADICTED = 5
"""Row of the training image in which a bar is seen that nobody drew, and no disc."""


def contradicting(row: int, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    told = np.where(mask == 1, 230, 20).astype(np.uint8)
    if row == CONTRADICTED:
        told[:6] = 230, 20
        told[..., 1] = 20
    return told


def test_suspects_are_classes_that_are_there_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the promotion to the corrected masks of a training."""
    masks = overlaps(tmp_path / "scenes")
    given = ["data=csv", f"data.root={tmp_path / 'scenes'}", *RUN_LENGTHS]
    contest = read_contest(parse(TrainConfig, given).data, tmp_path / "runs")
    truth = contest.truth
    assert truth is not None
    tests = [masks[image] for image in contest.test_images]
    folds = recorded(tmp_path / "runs", contest, tests, contradicting, [*RUN_LENGTHS])
    monkeypatch.setattr(suspects_report, "open_pictures", lambda *_: (contest, None))
    told = said(suspect_labels, LabelsConfig(runs=str(tmp_path / "runs")))
    assert "1 of 24 masks are suspicious" in told
    assert re.search(r"not bar +bar +1\n", told), told
    assert re.search(r"disc +not disc +1\n", told), told
    folder = tmp_path / "runs/scenes/labels/p"
    table = pd.read_csv(folder / "corrections.csv", dtype=str)
    image = contest.train_images[CONTRADICTED]
    assert table["image"].tolist() == [image, image]
    assert dict(zip(table["given"], table["predicted"], strict=True)) == {
        "not bar": "bar",
        "disc": "not disc",
    }
    assert (folder / "index.html").read_text().count('<img src="data:image/jpeg') == 3
    table.assign(use="predicted").to_csv(folder / "corrections.csv", index=False)
    changed = read_mask_corrections(
        folder / "corrections.csv", contest.train_images, contest.labels, truth
    )
    stored = stored_corrections(
        changed.write(tmp_path), folds.images, folds.labels, contest.classes, truth
    )
    assert stored.digest == changed.digest
    after = changed.truth(truth, [CONTRADICTED]).actual(0)
    wanted = masks[image].copy()
    wanted[:6, :, 0] = 1
    np.testing.assert_array_equal(after[..., 0], wanted[..., 0])
    assert after[..., 1].sum() < 0.05 * wanted[..., 1].sum()  # all but thin ends of the disc


def test_pictures_show_both_masks(promoted: tuple[Path, Contest]) -> None:
    search = Search.read(promoted[0] / "scenes/p")
    trial = search.of("fold")[0]
    stored = Predictions.read(search.trial_folder(trial) / "holdout.npz")
    one = search.task.judged(stored.of(stored.images[:1]), search.truth)
    panel, words = search.task.panel(np.zeros((24, 32, 3), np.uint8), 0, one, search.truth)
    assert panel.shape == (24, 96, 3)
    assert "% wrong" in words


def test_masks_of_classes_lie_in_folders_of_theirs(tmp_path: Path) -> None:
    places = mask_places(tmp_path, Path("a/x.jpg"), ["dark/red", "sky"])
    assert [str(p.relative_to(tmp_path)) for p in places] == [
        "1-dark-red/a/x.png",
        "2-sky/a/x.png",
    ]
    found: NDArray[Any] = np.zeros((4, 5, 2), np.uint8)
    found[1, 2, 1] = 255
    write_mask(places, found)
    for index, place in enumerate(places):
        np.testing.assert_array_equal(np.asarray(Image.open(place)), found[..., index])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["fix.mix=copy_paste"], "mix=copy_paste puts regions of one class over what else is"),
        (["data.background=bar"], "data.background=bar: with data.overlapping=true"),
        (["data.run_lengths="], "data.overlapping=true needs data.run_lengths="),
    ],
)
def test_what_cannot_be_is_told_before_anything_runs(
    promoted: tuple[Path, Contest], options: list[str], words: str
) -> None:
    root = promoted[1].files.root
    given = ["data=csv", f"data.root={root}", f"runs={promoted[0]}", *OPTIONS, *options, "name=x"]
    with pytest.raises(InputError, match=re.escape(words)):
        prepare(parse(TrainConfig, given), "train")
