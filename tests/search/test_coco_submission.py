"""Masks handed in as COCO's results, by the commands."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools import mask as coco_tools

from results.leaderboard.coco_form import LISTING
from results.leaderboard.leaderboard import Leaderboard
from search.competition import scores, submissions
from search.competition.scores import score
from search.competition.submissions import submit
from search.options.analysis import ScoreConfig, SubmitConfig
from spaces.errors import InputError
from tests.mask_promotion import mask_promotion, sure
from trainables.data.contest import Contest
from trainables.data.image_files import image_size


def faultless(row: int, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return sure(mask)


def listing(contest: Contest, folder: Path, first: int = 0) -> Path:
    sizes = [image_size(contest.files.root / name) for name in contest.test_images]
    images = [
        {"id": first + i, "file_name": Path(name).name, "height": size[0], "width": size[1]}
        for i, (name, size) in enumerate(zip(contest.test_images, sizes, strict=True))
    ]
    categories = [{"id": 1, "name": "disc"}, {"id": 2, "name": "bar"}]
    path = folder / f"images{first}.json"
    path.write_text(json.dumps({"images": images, "categories": categories}))
    return path


def test_a_promotion_is_handed_in_scored_and_taken_in_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, contest, _ = mask_promotion(tmp_path, faultless)
    monkeypatch.setattr(submissions, "_check_members", lambda members, config: 0.0)
    monkeypatch.setattr(scores, "track_scores", lambda *_: "")
    sample = str(listing(contest, tmp_path))
    wrong = json.loads(Path(sample).read_text())
    wrong["images"][-1]["height"] += 1
    (tmp_path / "wrong.json").write_text(json.dumps(wrong))
    of_wrong = SubmitConfig(
        runs=str(runs), select="promotion:p", sample=str(tmp_path / "wrong.json")
    )
    with pytest.raises(InputError, match="is listed with"):
        submit(of_wrong)
    assert not list((runs / "discs/submissions").iterdir())  # nothing is half-written
    assert submit(SubmitConfig(runs=str(runs), select="promotion:p", sample=sample)) == 0
    (submission,) = Leaderboard.read(runs / "discs").submissions.values()
    file = Path(submission.file)
    assert (file.suffix, file.with_name(LISTING).exists()) == (".json", True)
    rows = json.loads(file.read_text())
    for row in rows:
        name = contest.test_images[row["image_id"]]
        inside = coco_tools.decode(row["segmentation"])
        assert inside.shape == image_size(contest.files.root / name)
        assert row["score"] == pytest.approx(215 / 255, abs=1e-6)
    assert all(row["image_id"] != 7 for row in rows)  # every eighth image is empty
    solution = str(contest.files.root / "solution.csv")
    assert score(ScoreConfig(runs=str(runs), solution=solution)) == 0
    assert Leaderboard.read(runs / "discs").submissions["s001"].public == 1
    theirs = tmp_path / "anna.json"
    theirs.write_text(json.dumps(rows[1:]))
    taken = SubmitConfig(runs=str(runs), file=str(theirs), sample=sample, by="anna")
    assert submit(taken) == 0
    assert score(ScoreConfig(runs=str(runs), solution=solution)) == 0
    public = Leaderboard.read(runs / "discs").submissions["s002"].public
    assert public is not None
    assert public < 1
    others = SubmitConfig(runs=str(runs), file=str(theirs), sample=sample, name="b")
    others.sample = str(listing(contest, tmp_path, 50))
    with pytest.raises(InputError, match="is the id of no test image"):
        submit(others)
