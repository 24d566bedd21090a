"""From a promotion's masks to suspicious ones: page, table and the command that goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from results.masks.counts import VOID
from search.promotion import suspects_report as suspects
from tests.mask_promotion import mask_promotion, sure
from tests.search.test_labels_command import run
from trainables.data.mask_corrections import read_mask_corrections

CONTRADICTED = (0, 9)
"""Rows of training images in which the constructed models see a bar that nobody drew."""


def believed(row: int, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    labels = mask.copy()
    if row in CONTRADICTED:
        labels[:, :8] = 2
    return sure(labels)


def test_from_a_promotion_to_a_page_and_proposals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, contest, _ = mask_promotion(tmp_path, believed)
    assert contest.truth is not None
    monkeypatch.setattr(suspects, "open_pictures", lambda *_: (contest, None))
    code, lines, errors = run(f"runs={runs}")
    assert code == 0, errors
    assert any("2 of 32 masks are suspicious" in line for line in lines)
    assert any(line.split() == ["ground", "bar", "2"] or "bar" in line for line in lines)
    folder = runs / "discs/labels/p"
    command = next(line for line in lines if "space=labels" in line)
    assert "narrow.labels" not in command
    assert "data.mask=mask" in command
    assert f"data.corrections={folder}/corrections.csv" in command
    proposals = pd.read_csv(folder / "corrections.csv", dtype=str)
    assert set(proposals["image"]) == {contest.train_images[row] for row in CONTRADICTED}
    assert set(proposals["use"]) == {"void"}
    assert set(proposals["predicted"]) == {"bar"}
    read = read_mask_corrections(
        folder / "corrections.csv", contest.train_images, contest.labels, contest.truth
    )
    for row in CONTRADICTED:
        mask = contest.truth.masks[row]
        void = read.corrected(row, mask) == VOID
        assert void[:, :8].mean() > 0.9  # all but what was a bar already
        assert not void[:, 8:].any()
    regions = pd.read_csv(folder / "suspects.csv")
    assert set(regions["predicted"]) == {"bar"}
    assert (regions["right"] - regions["left"] <= 8).all()
    page = (folder / "index.html").read_text()
    assert page.count('<img src="data:image/jpeg') == 6
    assert "http" not in page


def test_a_table_that_was_edited_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs, contest, _ = mask_promotion(tmp_path, believed)
    monkeypatch.setattr(suspects, "open_pictures", lambda *_: (contest, None))
    run(f"runs={runs}")
    table = runs / "discs/labels/p/corrections.csv"
    table.write_text("image,use\ntrain/000.png,yes\n")
    assert any("is kept as it is" in line for line in run(f"runs={runs}")[1])
    assert table.read_text() == "image,use\ntrain/000.png,yes\n"


def test_where_most_are_suspicious_the_models_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fancied(row: int, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        labels = mask.copy()
        if row % 2:
            labels[:, :8] = 2
        return sure(labels)

    for believe, told in ((believed, False), (fancied, True)):
        runs, contest, _ = mask_promotion(tmp_path / believe.__name__, believe)
        monkeypatch.setattr(suspects, "open_pictures", lambda *_, c=contest: (c, None))
        _, lines, _ = run(f"runs={runs}")
        assert told == any("more likely the models are" in line for line in lines)
