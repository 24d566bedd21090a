"""Post-processing from a promotion's masks to a record, a submission and an export."""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from results.leaderboard.leaderboard import Leaderboard
from results.masks.label_map import at_size, label_map
from results.masks.merging import Blend
from results.masks.planes import Planes
from results.masks.postprocess import Form, Postprocess
from results.masks.processed_masks import processed
from results.masks.rle import decode
from results.predictions import Predictions
from search import postprocess
from search.competition import submissions
from search.competition.standing import open_standing
from search.competition.submissions import submit
from search.options.analysis import SubmitConfig
from search.options.command_line import main
from search.options.ensembles import EnsembleConfig, PostprocessConfig
from search.promotion.ensemble import Ensemble, find_ensemble
from spaces.errors import InputError
from tests.mask_promotion import mask_promotion, sure
from trainables.inference.export import copy_portable
from trainables.portable.mask_predictor import MaskPredictor

FORM = Form(classes=3, background=0)
SPECKS = 12
"""Pixels of every predicted mask that are of a class and should not be."""


def speckled(row: int, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The true mask with specks of discs, in rows and columns that do not touch one another."""
    rng = np.random.default_rng(row + 1)
    labels = mask.copy()
    for place in rng.choice(6 * 8, SPECKS, replace=False).tolist():
        down, across = place // 8 * 6, place % 8 * 6
        labels[down, across] = 1
    return sure(labels)


def faultless(row: int, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return sure(mask)


def run(*arguments: str) -> tuple[int, str, str]:
    """Runs the command within this process; returns code, output and errors."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(sys, "argv", ["postprocess", *arguments])
        with pytest.raises(SystemExit) as ended:
            main(PostprocessConfig, postprocess.run, postprocess.__doc__ or "")
    return int(ended.value.code or 0), out.getvalue(), err.getvalue()


def test_specks_are_found_told_and_recorded(tmp_path: Path) -> None:
    runs, _, _ = mask_promotion(tmp_path, speckled)
    code, out, errors = run(f"runs={runs}", "json=true")
    assert code == 0, errors
    assert "10 steps on 32 out-of-fold masks" in out
    assert "components" in out
    assert "m001: it helps beyond noise." in out
    assert "search.submit select=postprocess:m001" in out
    (record,) = Leaderboard.read(runs / "discs").postprocesses.values()
    assert record.source == "promotion:p"
    assert record.settings.components[1] > 0
    assert record.low > 0
    assert record.honest > record.plain
    page = Path(json.loads(out.splitlines()[-1])["path"])
    assert page.read_text() in out
    again = run(f"runs={runs}", "select=p")[1]
    assert "m001: it helps" in again  # the same choice keeps its id
    assert len(Leaderboard.read(runs / "discs").postprocesses) == 1


def haunted(row: int, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The true mask, with a disc where nothing is in the image."""
    labels = mask.copy()
    if not mask.any():
        labels[4:18, 4:18] = 1
    return sure(labels)


def told(mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What an auxiliary head says that knows."""
    return np.where(np.isin(np.arange(3), mask), 0.9, 0.02).astype(np.float32)


def test_classes_that_an_auxiliary_head_does_not_see_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, _, _ = mask_promotion(tmp_path, haunted, occurs=told)
    code, out, errors = run(f"runs={runs}")
    assert code == 0, errors
    assert "11 steps on 32 out-of-fold masks" in out
    assert re.search(r"occurs +0\.05 ", out)
    (record,) = Leaderboard.read(runs / "discs").postprocesses.values()
    assert record.settings == Postprocess(occurs=0.05)
    monkeypatch.setattr(submissions, "_check_members", lambda members, config: 0.0)
    assert submit(SubmitConfig(runs=str(runs), select="postprocess:m001")) == 0
    (submission,) = Leaderboard.read(runs / "discs").submissions.values()
    table = pd.read_csv(submission.file, dtype=str, keep_default_na=False)
    empty = table[table["image"] == "test/007.png"]
    assert (empty["rle"] == "").all()
    assert len(table[table["rle"] == ""]) == len(empty)


def test_masks_without_a_fault_are_left_alone(tmp_path: Path) -> None:
    runs, _, _ = mask_promotion(tmp_path, faultless)
    code, out, _ = run(f"runs={runs}", "most=16")
    assert code == 0
    assert "on 16 of 32 out-of-fold masks; most= takes more" in out
    assert "Nothing gains" in out
    assert "Next" not in out
    assert not Leaderboard.read(runs / "discs").postprocesses


def test_a_submission_is_of_masks_as_they_were_processed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, contest, _ = mask_promotion(tmp_path, speckled)
    run(f"runs={runs}")
    monkeypatch.setattr(submissions, "_check_members", lambda members, config: 0.0)
    assert submit(SubmitConfig(runs=str(runs), select="promotion:p")) == 0
    assert submit(SubmitConfig(runs=str(runs), select="postprocess:m001")) == 0
    out = capsys.readouterr().out
    assert "m001, promotion:p post-processed, honestly +" in out
    board = Leaderboard.read(runs / "discs")
    plain, cleaned = board.submissions["s001"], board.submissions["s002"]
    assert (plain.source, cleaned.source) == ("promotion", "postprocess")
    stored = Predictions.read(runs / "discs/p/test.npz")
    expected = processed(stored, board.postprocesses["m001"].settings, FORM)
    for submission, masks in ((plain, stored), (cleaned, expected)):
        table = pd.read_csv(submission.file, dtype=str, keep_default_na=False)
        for image, mask in zip(contest.test_images, masks.masks, strict=True):
            row = table[(table["image"] == image) & (table["class"] == "disc")]["rle"].item()
            height, width = mask.shape[:2]
            assert (decode(row, height, width, "column") == (mask.argmax(axis=2) == 1)).all()
    assert Path(plain.file).read_text() != Path(cleaned.file).read_text()


def test_processed_masks_are_what_apply_makes_at_the_images_own_sizes() -> None:
    rng = np.random.default_rng(0)
    planes = Planes.of(rng.integers(0, 256, (2, 10, 12, 3), np.uint8))
    sizes = np.array([[20, 24], [10, 12]], np.float32)
    given = Predictions(
        images=("a", "b"), classes=("x", "y", "z"), heads={"masks": planes, "sizes": sizes}
    )
    settings = Postprocess(weights=(1.0, 2.0, 0.5), components=(0.0, 5.0, 5.0))
    found = processed(given, settings, FORM)
    for row, (height, width) in enumerate(sizes.astype(int).tolist()):
        expected = settings.apply(at_size(planes[row], height, width), FORM)
        assert (found.masks[row].argmax(axis=2) == expected).all()
        assert set(np.unique(found.masks[row]).tolist()) <= {0, 255}


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    runs, _, _ = mask_promotion(tmp_path, speckled)
    for select, words in (
        ("q", "unknown promotion 'q'"),
        ("blend:b001", "unknown blend 'b001'"),
        ("trial:x", "unknown blend 'x'"),
    ):
        code, _, errors = run(f"runs={runs}", f"select={select}")
        assert code == 2
        assert words in errors
    run(f"runs={runs}")
    standing = open_standing(PostprocessConfig(runs=str(runs)))

    def asked(**options: Any) -> Ensemble:
        return find_ensemble(standing, EnsembleConfig(runs=str(runs), **options))

    for promotion in ("", "p"):
        found = asked(postprocess="m001", promotion=promotion)
        assert (found.name, found.blend, found.views) == ("p-m001", None, None)
    # Views that did not choose it go with it where they are named, and that is told.
    viewed = asked(postprocess="m001", views=["hflip"])
    assert viewed.name == "p-hflip-m001"
    assert viewed.voices == [("s-000", ""), ("s-000", "hflip")]
    assert viewed.blend == Blend.mean(2)
    assert "it was chosen with other views" in viewed.processed
    assert asked(views=[]).name == "p"
    many = ["rotate90", "rotate180", "rotate270", "scale_1.5", "hflip_scale_1.5", "vflip_scale_1.5"]
    assert re.fullmatch(r"p-6-views-\w{8}", asked(views=many).name)
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"promotion": "q", "postprocess": "m001"}, "it is of promotion:p, not of promotion:q"),
        ({"blend": "b001", "postprocess": "m001"}, "it is of promotion:p, not of blend:b001"),
        ({"postprocess": "m002"}, "unknown post-processing 'm002'"),
        ({"blend": "b001"}, "unknown blend 'b001' (in blend=b001)"),
        ({"promotion": "p", "blend": "b001"}, "promotion=p and blend=b001: give one of the two"),
        ({"views": ["hflp"]}, "unknown view 'hflp' (in views): did you mean hflip"),
        ({"views": ["chosen", "hflip"]}, "views=chosen takes those that were chosen: give it"),
    )
    for options, words in wrong:
        with pytest.raises(InputError, match=re.escape(words)):
            asked(**options)


def test_an_export_processes_masks_by_itself(tmp_path: Path) -> None:
    """Its code needs nothing of ours, and its predictor does what was chosen."""
    copy_portable(tmp_path)
    words = (tmp_path / "portable/postprocess.py").read_text()
    assert not any(f"from {ours}" in words for ours in ("results", "spaces", "trainables"))
    settings = Postprocess(weights=(1.0, 2.0, 0.5), opening=1)
    predictor = object.__new__(MaskPredictor)
    predictor.classes = ["x", "y", "z"]
    predictor.about = {"postprocess": None, "background": 0, "overlapping": False}
    pixels = np.random.default_rng(0).integers(0, 256, (10, 12, 3), np.uint8)
    assert (predictor._labels(pixels, None, 20, 24) == label_map(pixels, 20, 24)).all()
    occurs = np.array([1.0, 0.2, 0.9], np.float32)
    for chosen in (settings, replace(settings, occurs=0.5)):
        predictor.settings = chosen
        found = predictor._labels(pixels, occurs, 20, 24)
        assert (found == chosen.apply(at_size(pixels, 20, 24), FORM, occurs)).all()
        assert (found == 1).any() == (not chosen.occurs)
