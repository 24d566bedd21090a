"""From trained trials to submissions, scores and trust, through the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from results.leaderboard import Leaderboard
from results.tracking import ID_TAG
from results.trials import Search
from tests.search.test_end_to_end import run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with six trained trials, all of which ran to their end, and a confirmation."""
    folder = tmp_path_factory.mktemp("contest")
    done = run(
        folder,
        "run",
        "name=six",
        "trials=5",
        "epochs=2",
        "scheduler.grace=2",
        "confirm=2",
        "quiet=true",
        "narrow.stage1.operation=[rotate,scale]",
        "fix.stages=1",
        "fix.mix=none",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stdout
    return folder


def test_the_parent_run_is_closed_with_gains_by_control(folder: Path) -> None:
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    (parent,) = client.search_runs(
        [client.get_experiment_by_name("digits").experiment_id],  # type: ignore[union-attr]
        f"tags.`{ID_TAG}` = 'digits/six'",
    )
    assert parent.info.status == "FINISHED"
    assert "gain/no_augmentation_the_baseline" in parent.data.metrics
    assert parent.data.tags["mlflow.note.content"].startswith("Over 2 seeds")


def test_day_one_is_a_submission_and_a_score(folder: Path) -> None:
    early = run(folder, "trust")
    assert early.returncode == 2
    assert "no submission has a score yet" in early.stderr
    assert run(folder, "score", "submission=s001", "public=0.5").returncode == 2
    made = run(folder, "submit", "select=baseline", "json=true")
    assert made.returncode == 0, made.stderr
    (entry,) = json.loads(made.stdout.splitlines()[-1])
    table = pd.read_csv(entry["path"])
    sample = pd.read_csv(folder / "runs/digits/data/sample_submission.csv")
    assert list(table) == list(sample)
    assert table["image"].tolist() == sample["image"].tolist()
    again = run(folder, "submit", "select=baseline")
    assert "is s001 already" in again.stdout
    for arguments, words in {
        ("submission=s001", "public=1.2"): "lies between 0 and 1",
        ("submission=s001", "public=nan"): "lies between 0 and 1",
        ("submission=s9", "public=0.5"): "unknown submission 's9'",
        ("submission=s001",): "give public=",
        ("solution=nowhere.csv",): "no such file",
    }.items():
        wrong = run(folder, "score", *arguments)
        assert wrong.returncode == 2
        assert words in wrong.stderr
    assert not Leaderboard.read(folder / "runs/digits").scored()
    by_hand = run(folder, "score", "submission=s001", "public=0.71", "private=0.7")
    assert by_hand.returncode == 0, by_hand.stderr
    assert "public 0.7100, private 0.7000" in by_hand.stdout


def test_scores_lead_to_trust(folder: Path) -> None:
    assert run(folder, "submit", "select=spread:6").returncode == 0
    scored = run(folder, "score", "solution=runs/digits/data/solution.csv")
    assert scored.returncode == 0, scored.stderr
    assert "scored on 719 of 719 test images" in scored.stdout
    board = Leaderboard.read(folder / "runs/digits")
    assert len(board.scored()) == 6
    page = run(folder, "trust", "json=true")
    assert page.returncode == 0, page.stderr
    assert len(page.stdout.splitlines()) < 30
    assert "tau, all 6" in page.stdout
    assert json.loads(page.stdout.splitlines()[-1])["verdict"]
    table = pd.read_csv(folder / "runs/digits/trust.csv")
    assert table["public"].notna().sum() == 6
    search = Search.read(folder / "runs/digits/six")
    for row in table.itertuples():
        assert row.validation == pytest.approx(search.trials[str(row.trial)].score("macro_f1"))
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    runs = {r.data.tags[ID_TAG]: r for r in client.search_runs([experiment.experiment_id])}
    for submission in board.submissions.values():
        logged = runs[f"digits/{submission.trial}"].data.metrics
        assert logged["leaderboard/public"] == submission.public
    assert "trust/tau" in runs["digits/trust"].data.metrics
    files = {f.path for f in client.list_artifacts(runs["digits/trust"].info.run_id)}
    assert files == {"trust.png", "trust.csv"}


def test_a_changed_image_stops_the_submission(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    ledger = copy / "runs/digits/six/ledger.jsonl"
    ledger.write_text(ledger.read_text().replace(str(folder), str(copy)))
    (copy / "runs/digits/leaderboard.jsonl").unlink()
    images = copy / "runs/digits/data/test"
    pictures = sorted(images.iterdir())
    contents = [p.read_bytes() for p in pictures]
    for path, data in zip(pictures, contents[1:] + contents[:1], strict=True):
        path.write_bytes(data)
    wrong = run(copy, "submit", "select=best")
    assert wrong.returncode == 2
    assert "predicted anew differ from what is stored" in wrong.stderr
    assert not (copy / "runs/digits/leaderboard.jsonl").exists()
    assert not (copy / "runs/digits/submissions").exists() or len(
        list((copy / "runs/digits/submissions").iterdir())
    ) == len(list((folder / "runs/digits/submissions").iterdir()))


def test_selections_that_make_no_sense(folder: Path) -> None:
    for select, words in {
        "band": "write band:<number>",
        "band:x": "write band:<number>",
        "six-999": "unknown finished trial",
    }.items():
        wrong = run(folder, "submit", f"select={select}")
        assert wrong.returncode == 2
        assert words in wrong.stderr
    wrong = run(folder, "submit", "competition=digit")
    assert "did you mean digits" in wrong.stderr
