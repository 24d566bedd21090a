"""What the audit says of masks, on pictures that are drawn."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from results.masks.counts import VOID
from search.competition.audits import audit_contest
from search.options.audit import AuditConfig
from search.options.command_line import parse
from tests.mask_contests import written
from trainables.audit.outlines import Move, best_move

Pixels = NDArray[np.uint8]


def scene(seed: int) -> tuple[Pixels, Pixels]:
    """A picture of a disc and a bar, and its mask."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((60, 80), np.uint8)
    cv2.circle(mask, (int(rng.integers(20, 60)), 22), int(rng.integers(8, 14)), 1, -1)
    mask[44:52, 10:70] = 2
    colours = np.array([[90, 90, 90], [200, 60, 60], [60, 200, 60]])
    noisy = colours[mask] + rng.normal(0, 8, (60, 80, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8), mask


@pytest.mark.parametrize("right", range(-2, 3))
@pytest.mark.parametrize("down", [-2, 0, 1])
def test_masks_that_were_moved_are_to_be_moved_back(right: int, down: int) -> None:
    for seed in range(3):
        picture, mask = scene(seed)
        moved = np.roll(mask, (down, right), axis=(0, 1))
        assert best_move(picture, moved, 0) == Move(right=-right, down=-down)


@pytest.mark.parametrize("pixels", [1, 2])
def test_masks_that_were_drawn_too_large_or_too_small(pixels: int) -> None:
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    for seed in range(3):
        picture, mask = scene(seed)
        larger = cv2.dilate(mask, cross, iterations=pixels)
        assert best_move(picture, np.asarray(larger, np.uint8), 0) == Move(outward=-pixels)
        background = cv2.dilate((mask == 0).astype(np.uint8), cross, iterations=pixels)
        smaller = np.where(background > 0, 0, mask).astype(np.uint8)
        assert best_move(picture, smaller, 0) == Move(outward=pixels)


def test_what_says_nothing_of_outlines() -> None:
    picture, mask = scene(0)
    assert best_move(picture, np.zeros_like(mask), 0) is None
    assert best_move(picture, np.full_like(mask, VOID), 0) is None
    assert best_move(np.full_like(picture, 90), mask, 0) is None
    noise = np.random.default_rng(0).integers(0, 255, picture.shape, dtype=np.uint8)
    assert best_move(noise, mask, 0) == Move()
    void = mask.copy()
    void[:, 40:] = VOID  # its own edge is no outline
    assert best_move(picture, void, 0) == Move()
    assert Move(right=-1, down=2).words() == "1 pixel to the left and 2 pixels downwards"
    assert Move(outward=-2).words() == "2 pixels inwards"


def test_the_page_tells_what_is_wrong_with_masks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "cells"
    options = written(folder, "numbers", train=24)
    for number in range(24):
        path = folder / f"train_masks/{number:03d}.png"
        Image.fromarray(np.roll(np.array(Image.open(path)), 2, axis=1)).save(path)
    small = Image.open(folder / "train_masks/003.png")
    small.resize((32, 24), Image.Resampling.NEAREST).save(folder / "train_masks/003.png")
    shutil.copy(folder / "train/001.png", folder / "train/020.png")  # of another sequence
    near = Image.open(folder / "train/002.png").convert("RGB")
    near.save(folder / "train/016.jpg", quality=97)
    (folder / "train/016.png").unlink()
    opposite = np.array(Image.open(folder / "train_masks/001.png"))
    Image.fromarray(np.asarray(2 - opposite, np.uint8)).save(folder / "train_masks/020.png")
    table = pd.read_csv(folder / "train.csv")
    table["image"] = table["image"].str.replace("016.png", "016.jpg")
    table.to_csv(folder / "train.csv", index=False)

    given = [f"runs={tmp_path}/runs", "data.group=sequence", "holdout.folds=3", *options]
    assert audit_contest(parse(AuditConfig, given)) == 0
    told = capsys.readouterr().out
    assert "stop     masks of another size: training images whose mask has another size: 1" in told
    assert "empty masks: training images with nothing but ground: 3 of 24 (12%)" in told
    assert "moved 2 pixels to the left: " in told
    assert "identical files across folds" in told
    assert "near duplicates across folds" in told
    assert "identical files with two masks" in told
    assert "near duplicates with two masks" not in told  # frames of a film move on
    findings = pd.read_csv(tmp_path / "runs/cells/audit/findings.csv")
    odd = findings[findings["finding"] == "masks of another size"].iloc[0]
    assert (odd["image"], odd["detail"]) == ("train/003.png", "mask 32 x 24, image 64 x 48")
    page = (tmp_path / "runs/cells/audit/index.html").read_text()
    assert '<th class="n">pixels</th>' in page
    assert "masks lie over the samples" in page


@pytest.mark.parametrize(("form", "other"), [("column", "row"), ("row", "column")])
def test_run_lengths_of_the_other_order_are_told(
    form: str, other: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = written(tmp_path / "cells", form, train=16)
    for order in (form, other):
        given = [f"runs={tmp_path}/runs", "holdout.folds=2", *options, f"data.run_lengths={order}"]
        assert audit_contest(parse(AuditConfig, given)) == 0
        told = capsys.readouterr().out
        assert ("run lengths torn" in told) == (order == other)
        assert (f"try data.run_lengths={form}" in told) == (order == other)
