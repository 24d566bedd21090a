"""From trained trials to submissions, scores and trust, through the command line."""

from __future__ import annotations

import getpass
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from results.leaderboard.entries import Assessed
from results.leaderboard.leaderboard import Leaderboard
from results.metrics import METRICS
from results.predictions import Predictions
from results.records.labelled_images import LabelledImages
from results.records.trials import Search
from results.tracking.registry import register
from results.tracking.store import ID_TAG
from results.trust.verdict import FEWEST
from search.competition import images
from search.competition.standing import open_standing
from search.options.ensembles import ExportConfig
from search.promotion import chosen_views, image_predictions, views
from search.promotion.ensemble import find_ensemble
from search.promotion.expected_views import expected_views
from tests.commands import run
from tests.records import draft
from trainables.portable import predictor
from trainables.portable.predictor import Predictor


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six trained trials, all of which ran to their end, and a confirmation; nobody writes there.

    Images are prepared otherwise than by default, and predicted at another size: whatever reads
    them again has to do the same.
    """
    folder = tmp_path_factory.mktemp("contest")
    done = run(
        folder,
        "run",
        "name=six",
        "trials=5",
        "epochs=1",
        "scheduler.grace=1",
        "confirm=2",
        "quiet=true",
        "narrow.stage1.operation=[rotate,scale]",
        "fix.stages=1",
        "fix.mix=none",
        "fix.size=16",
        "fix.predict_size=20",
        "data.shape=pad",
        "data.interpolation=lanczos",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stdout
    return folder


def contest_copy(folder: Path, tmp_path: Path) -> Path:
    """A copy of everything to do harm to."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    for path in (copy / "runs/digits").rglob("*.jsonl"):
        path.write_text(path.read_text().replace(str(folder), str(copy)))
    return copy


@pytest.fixture(scope="module")
def scored(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy where all six were submitted, scored and weighed; nobody writes there."""
    copy = contest_copy(folder, tmp_path_factory.mktemp("scored"))
    assert run(copy, "submit", "select=spread:6").returncode == 0
    done = run(copy, "score", "solution=runs/digits/data/solution.csv")
    assert done.returncode == 0, done.stderr
    assert "scored on 719 of 719 test images" in done.stdout
    assert run(copy, "trust").returncode == 0  # which looks at all images, for every copy
    return copy


def with_few_scores(competition: Path) -> None:
    """Keeps three public scores: whatever they are, that is not enough evidence."""
    path = competition / "leaderboard.jsonl"
    kept, scores = [], 0
    for line in path.read_text().splitlines(keepends=True):
        event = json.loads(line)["event"]
        scores += event == "scored"
        if event != "assessed" and (event != "scored" or scores <= 3):
            kept.append(line)
    path.write_text("".join(kept))
    assert len(Leaderboard.read(competition).scored()) < FEWEST


def test_the_parent_run_is_closed_with_gains_by_control(folder: Path) -> None:
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    (parent,) = client.search_runs(
        [client.get_experiment_by_name("digits").experiment_id],  # type: ignore[union-attr]
        f"tags.`{ID_TAG}` = 'digits/six'",
    )
    assert parent.info.status == "FINISHED"
    assert "gain/no_augmentation_the_baseline" in parent.data.metrics
    assert parent.data.tags["mlflow.note.content"].startswith("On images like the hold-out")


def test_day_one_is_a_submission_and_a_score(folder: Path, tmp_path: Path) -> None:
    folder = contest_copy(folder, tmp_path)
    early = run(folder, "trust")
    solution = pd.read_csv(folder / "runs/digits/data/solution.csv")
    solution[:300].to_csv(folder / "part.csv", index=False)
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
    assert "is s001 already: runs/digits/submissions/s001-" in again.stdout  # wherever that is
    for arguments, words in {
        ("submission=s001", "public=1.2"): "lies between 0 and 1",
        ("submission=s001", "public=nan"): "public=nan: a finite number is needed",
        ("submission=s9", "public=0.5"): "unknown submission 's9'",
        ("submission=s001",): "give public=",
        ("solution=nowhere.csv",): "no such file",
        ("solution=part.csv",): "part.csv has 300 of 719 test images",
        ("solution=part.csv", "share=0.5"): "say share=0.42",
    }.items():
        wrong = run(folder, "score", *arguments)
        assert wrong.returncode == 2
        assert words in wrong.stderr
    assert not Leaderboard.read(folder / "runs/digits").scored()
    by_hand = run(folder, "score", "submission=s001", "public=0.71", "private=0.7")
    assert by_hand.returncode == 0, by_hand.stderr
    assert "public 0.7100, private 0.7000" in by_hand.stdout


def test_scores_lead_to_trust(scored: Path, tmp_path: Path) -> None:
    folder = contest_copy(scored, tmp_path)
    leaderboard = Leaderboard.read(folder / "runs/digits")
    assert len(leaderboard.scored()) == 6
    page = run(folder, "trust", "json=true")
    assert page.returncode == 0, page.stderr
    assert len(page.stdout.splitlines()) < 30
    assert "tau, all 6" in page.stdout
    assert json.loads(page.stdout.splitlines()[-1])["verdict"]
    table = pd.read_csv(folder / "runs/digits/trust.csv")
    assert table["public"].notna().sum() == 6
    assert table["class-balanced"].notna().sum() == 6
    search = Search.read(folder / "runs/digits/six")
    for row in table.itertuples():
        assert row.validation == pytest.approx(search.trials[str(row.trial)].score("macro_f1"))
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    runs = {r.data.tags[ID_TAG]: r for r in client.search_runs([experiment.experiment_id])}
    for submission in leaderboard.submissions.values():
        logged = runs[f"digits/{submission.trial}"].data.metrics
        assert logged["leaderboard/public"] == submission.public
    assert {"trust/tau", "trust/evidence.agreement_on_the_line_D"} <= set(
        runs["digits/trust"].data.metrics
    )
    assert runs["digits/trust"].info.start_time <= runs["digits/trust"].info.end_time
    assert all(value != "" for r in runs.values() for value in r.data.params.values())
    files = {f.path for f in client.list_artifacts(runs["digits/trust"].info.run_id)}
    assert files == {"trust.png", "trust.csv"}


def test_a_model_made_elsewhere_takes_part(scored: Path, tmp_path: Path) -> None:
    copy = contest_copy(scored, tmp_path)
    first = Leaderboard.read(copy / "runs/digits")["s001"].trial
    labelled = LabelledImages.of_fold(next((copy / "runs/digits").glob("folds-*.csv")), 0)
    sample = pd.read_csv(copy / "runs/digits/data/sample_submission.csv")
    solution = pd.read_csv(copy / "runs/digits/data/solution.csv")
    theirs = copy / "anna.csv"
    solution.loc[:60, "label"] = (solution.loc[:60, "label"] + 1) % 10
    solution.to_csv(theirs, index=False)
    labels = labelled.labels.copy()
    labels[:10] = (labels[:10] + 1) % 10
    pd.DataFrame({"image": labelled.images, "label": labels}).sample(frac=1, random_state=0).to_csv(
        copy / "anna_holdout.csv", index=False
    )
    leaderboard = copy / "runs/digits/leaderboard.jsonl"
    before = leaderboard.read_text()
    sample[1:].to_csv(copy / "short.csv", index=False)
    sample.rename(columns={"label": "guess"}).to_csv(copy / "columns.csv", index=False)
    sample.assign(label="seven").to_csv(copy / "labels.csv", index=False)
    for arguments, words in {
        ("file=nowhere.csv",): "there is no such file",
        ("file=short.csv",): "1 ids are missing",
        ("file=columns.csv",): "columns ['image', 'guess'], not ['image', 'label']",
        ("file=labels.csv",): "unknown label 'seven'",
        ("file=anna.csv", "validation=anna.csv"): "ids are missing",
        ("file=anna.csv", f"name={first}"): "that is s001 already",
        ("file=anna.csv", "name=six"): "that is a search already",
        ("file=anna.csv", "name=trust"): "stands for something else",
        ("name=x",): "give file= too",
    }.items():
        wrong = run(copy, "submit", *arguments)
        assert wrong.returncode == 2, wrong.stdout
        assert words in wrong.stderr
        assert leaderboard.read_text() == before
    taken = run(copy, "submit", "file=anna.csv", "validation=anna_holdout.csv", "by=anna")
    assert taken.returncode == 0, taken.stderr
    assert "made elsewhere by anna" in taken.stdout
    again = run(copy, "submit", "file=anna.csv", "by=anna")
    assert again.returncode == 2
    assert "already" in again.stderr
    name = Leaderboard.read(copy / "runs/digits").of_trial("anna")
    assert name is not None
    told = run(copy, "score", f"submission={name.id}", "public=0.91")
    assert told.returncode == 0, told.stderr
    expected = METRICS["macro_f1"].score(labelled.labels, np.eye(10)[labels])
    assert f"anna has {expected:.4f} on the hold-out" in told.stdout
    page = run(copy, "trust")
    assert page.returncode == 0, page.stderr
    table = pd.read_csv(copy / "runs/digits/trust.csv").set_index("trial")
    assert table.loc["anna", "validation"] == pytest.approx(expected)
    assert "made elsewhere by anna" in str(table.loc["anna", "notes"])
    agreement = table["mean agreement"].astype(float)["anna"]
    assert 0 < agreement < 1
    assert table["confidence"].isna()["anna"]
    assert "without confidence of anna: it gave labels, not probabilities" in page.stdout
    told = run(copy, "forecast")
    assert told.returncode == 0, told.stderr
    assert "without confidence of anna" in told.stdout
    forecasts = pd.read_csv(copy / "runs/digits/forecast.csv").set_index("model")
    assert forecasts.loc["anna", "agreement"] == pytest.approx(agreement)
    client = MlflowClient(f"sqlite:///{copy}/mlflow.db")
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    (logged,) = client.search_runs([experiment.experiment_id], f"tags.`{ID_TAG}` = 'digits/anna'")
    assert logged.data.metrics["leaderboard/public"] == 0.91
    assert logged.data.metrics["val/macro_f1"] == pytest.approx(expected)
    picked = run(copy, "submit", "select=anna")
    assert "was made elsewhere" in picked.stderr


def made_elsewhere(images: pd.Series, labels: pd.Series, skill: float, seed: int) -> pd.DataFrame:
    """A column of probabilities per class, right as often as ``skill`` allows."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(len(labels), 10))
    scores[np.arange(len(labels)), labels] += skill
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return pd.concat([images, pd.DataFrame(shares, columns=[str(c) for c in range(10)])], axis=1)


def test_models_made_elsewhere_blend(folder: Path, tmp_path: Path) -> None:
    copy = contest_copy(folder, tmp_path)
    known = pd.read_csv(next((copy / "runs/digits").glob("folds-*.csv")))
    solution = pd.read_csv(copy / "runs/digits/data/solution.csv")
    for i, name in enumerate(("ann", "bob", "cid")):
        oof = made_elsewhere(known["image"], known["label"], 3.0, seed=i)
        oof.assign(fold=known["fold"]).to_csv(copy / f"{name}_oof.csv", index=False)
        test = made_elsewhere(solution["image"], solution["label"], 3.0, seed=9 + i)
        test.to_csv(copy / f"{name}_test.csv", index=False)
        guess = test[[str(c) for c in range(10)]].to_numpy().argmax(axis=1)
        solution.assign(label=guess).to_csv(copy / f"{name}.csv", index=False)
    oof = pd.read_csv(copy / "ann_oof.csv")
    oof.assign(fold=(known["fold"] + 1) % 5).to_csv(copy / "folds.csv", index=False)
    oof.rename(columns={"3": "three"}).to_csv(copy / "classes.csv", index=False)
    pd.read_csv(copy / "ann_test.csv")[1:].to_csv(copy / "short.csv", index=False)
    for arguments, words in {
        ("validation=folds.csv",): "would flatter a blend",
        ("validation=classes.csv",): "columns and classes differ in",
        ("validation=ann_oof.csv", "test=short.csv"): "1 ids are missing",
        ("test=ann_test.csv",): "give validation=",
    }.items():
        wrong = run(copy, "submit", "file=ann.csv", *arguments)
        assert wrong.returncode == 2, wrong.stdout
        assert words in wrong.stderr
    assert not (copy / "runs/digits/imports").exists()
    alone = run(copy, "blend")
    assert alone.returncode == 2
    assert "no promotion with all of its folds: python -m search.promote trains" in alone.stderr
    for name, rest in {"ann": ["test=ann_test.csv"], "bob": ["test=bob_test.csv"]}.items():
        taken = run(copy, "submit", f"file={name}.csv", f"validation={name}_oof.csv", *rest)
        assert taken.returncode == 0, taken.stderr
    done = run(copy, "blend", "json=true")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["id"] == "b001"
    made = copy / "runs/digits/blends/b001"
    written = json.loads((made / "blend.json").read_text())
    assert written["members"] == ["ann", "bob"]
    rows = known["fold"] != 0
    labelled = known["label"].to_numpy()
    stored = Predictions.read(made / "oof.npz")
    assert stored.images == tuple(known["image"])
    metric = METRICS["macro_f1"]
    one = oof[[str(c) for c in range(10)]].to_numpy()
    honest = metric.score(labelled[rows], stored.probabilities[rows])
    assert written["recipes"]["mean"]["honest"] == pytest.approx(honest)
    assert honest > metric.score(labelled[rows], one[rows]) + 0.01
    submitted = run(copy, "submit", "select=blend:b001")
    assert submitted.returncode == 0, submitted.stderr
    assert "mean of 2" in submitted.stdout
    scored = run(copy, "score", "solution=runs/digits/data/solution.csv")
    assert scored.returncode == 0, scored.stderr
    scores = {s.trial: s.public for s in Leaderboard.read(copy / "runs/digits").scored()}
    assert scores["b001"] > scores["ann"] > 0.5  # type: ignore[operator]
    told = run(copy, "forecast")
    assert told.returncode == 0, told.stderr
    table = pd.read_csv(copy / "runs/digits/forecast.csv").set_index("model")
    assert table.loc["b001", "fold"] == "several"
    assert table.loc["b001", "public"] == scores["b001"]
    client = MlflowClient(f"sqlite:///{copy}/mlflow.db")
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    (logged,) = client.search_runs([experiment.experiment_id], f"tags.`{ID_TAG}` = 'digits/b001'")
    assert logged.data.metrics["blend/honest.mean"] == pytest.approx(honest)
    assert logged.info.start_time <= logged.info.end_time
    assert "leaderboard/public" in logged.data.metrics
    # A test file of labels alone: the model then votes out-of-fold, too.
    assert run(copy, "submit", "file=cid.csv", "validation=cid_oof.csv").returncode == 0
    (votes,) = (copy / "runs/digits/imports").glob("*-cid-oof.npz")
    assert Predictions.read(votes).certain
    assert not list((copy / "runs/digits").glob(".import-*"))
    assert run(copy, "blend", "select=ann,cid").returncode == 0
    unknown = run(copy, "submit", "select=blend:b009")
    assert "did you mean b00" in unknown.stderr


def test_a_site_s_table_and_a_quota(scored: Path, tmp_path: Path) -> None:
    copy = contest_copy(scored, tmp_path)
    solution = pd.read_csv(copy / "runs/digits/data/solution.csv")
    solution[:300].to_csv(copy / "part.csv", index=False)
    part = run(copy, "score", "solution=part.csv", "share=0.42", "submission=s003")
    assert "scored on 300 of 719 test images" in part.stdout
    leaderboard = Leaderboard.read(copy / "runs/digits")
    files = [Path(s.file).name for s in leaderboard.submissions.values()]
    now = pd.Timestamp.now("UTC")
    path = copy / "site.csv"
    pd.DataFrame(
        {
            "fileName": [files[1], "other.csv", files[0]],
            "date": [now, now, now - pd.Timedelta(days=3)],
            "publicScore": [0.5, 0.6, 0.4],
            "privateScore": ["", "", "0.3"],
        }
    ).to_csv(path, index=False)
    before = leaderboard.path.read_text()
    for arguments, words in {
        ("import=nowhere.csv",): "there is no such file",
        ("import=site.csv", "public=0.5"): "one of them at a time",
        ("quota=many",): "quota=many",
        ("ends=2026-12-01",): "belongs to a quota",
    }.items():
        wrong = run(copy, "score", *arguments)
        assert wrong.returncode == 2, wrong.stdout
        assert words in wrong.stderr
    out_of_range = path.read_text().replace("0.6", "1.6")
    (copy / "wrong.csv").write_text(out_of_range)
    wrong = run(copy, "score", "import=wrong.csv")
    assert "row 3: public score 1.6: macro_f1 lies between 0 and 1" in wrong.stderr
    assert leaderboard.path.read_text() == before
    done = run(copy, "score", "import=site.csv", "quota=5/day", "share=0.4")
    assert done.returncode == 0, done.stderr
    assert "3 rows: 2 recorded, 0 known already, 1 odd" in done.stdout
    assert "row 3: 'other.csv' is not the file of a submission" in done.stdout
    assert "not in the table: s003" in done.stdout
    assert "quota: 4 of 5 left" in done.stdout
    known = Leaderboard.read(copy / "runs/digits")
    first, second = list(known.submissions.values())[:2]
    assert (first.public, first.private, second.public) == (0.4, 0.3, 0.5)
    assert first.images == round(0.4 * 719)
    again = run(copy, "score", "import=site.csv")
    assert "0 recorded, 2 known already" in again.stdout
    same = run(copy, "score", "submission=s001", "public=0.4")
    assert same.returncode == 2
    assert "has that score already" in same.stderr


def test_scores_by_a_solution_after_a_move(scored: Path, tmp_path: Path) -> None:
    """The record names files where they were; they are found where the runs folder is now."""
    shutil.copytree(scored / "runs", tmp_path / "moved")
    path = tmp_path / "moved/digits/leaderboard.jsonl"
    path.write_text(path.read_text().replace(str(scored), "/where/it/was"))
    solution = tmp_path / "moved/digits/data/solution.csv"
    done = run(tmp_path, "score", f"solution={solution}", f"runs={tmp_path / 'moved'}")
    assert done.returncode == 0, done.stderr
    assert "scored on 719 of 719" in done.stdout


def test_a_note_by_a_user_without_a_name(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = contest_copy(folder, tmp_path)

    def nameless() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nameless)
    noted = run(copy, "note", "six-001", "hypothesis=it holds", f"tracking=sqlite:///{copy}/n.db")
    assert noted.returncode == 0, noted.stderr
    assert Leaderboard.read(copy / "runs/digits").notes["six-001"].by == str(os.getuid())


def test_a_trusted_validation_is_frozen(scored: Path, tmp_path: Path) -> None:
    copy = contest_copy(scored, tmp_path)
    leaderboard = Leaderboard.read(copy / "runs/digits")
    search = Search.read(copy / "runs/digits/six")
    trusted = Assessed(
        frozen=True,
        verdict="trusted",
        validation="plain",
        metric="macro_f1",
        folds=search.opened.folds.digest,
        scored=6,
        evidence=30.0,
        chance=0.0,
    )
    leaderboard.add_assessment(trusted)
    refused = run(copy, "train", "name=other", "epochs=1", "holdout.seed=1")
    assert refused.returncode == 2
    assert "when validation was trusted" in refused.stderr
    assert "accept=[validation]" in refused.stderr
    assert not (copy / "runs/digits/other").exists()
    assert run(copy, "trust").returncode == 0
    leaderboard.add_assessment(trusted.model_copy(update={"folds": "0" * 16}))
    page = run(copy, "trust")
    assert page.returncode == 2
    assert "accept=[validation]" in page.stderr
    typo = run(copy, "trust", "accept=[validaton]")
    assert "did you mean validation" in typo.stderr
    assert run(copy, "trust", "accept=[validation]").returncode == 0


def test_test_scores_are_told_before_any_submission(folder: Path, tmp_path: Path) -> None:
    copy = contest_copy(folder, tmp_path)
    page = run(copy, "forecast", "json=true")
    assert page.returncode == 0, page.stderr
    assert "719 unlabelled test images" in page.stdout
    assert "without a label" in " ".join(page.stdout.split())
    assert json.loads(page.stdout.splitlines()[-1])["id"] == "digits"
    search = Search.read(copy / "runs/digits/six")
    table = pd.read_csv(copy / "runs/digits/forecast.csv")
    assert set(table["model"]) == {
        t.id for t in search.trials.values() if t.state == "finished" and not t.taken
    }
    assert ((table["low"] <= table["expected"]) & (table["expected"] <= table["high"])).all()
    assert (copy / "runs/digits/forecast.png").stat().st_size > 10_000
    closed = search.summary
    assert closed is not None
    assert closed.forecast is not None
    assert closed.forecast.models == len(table)
    assert closed.forecast.winner is not None
    assert closed.forecast.winner.score == pytest.approx(
        table.set_index("model").loc[str(closed.winner), "expected"]
    )
    assert "Do not believe it" not in page.stdout
    assert "resemble training images: python -m search.audit" in page.stdout
    proposed = copy / "runs/digits/audit/groups.csv"
    proposed.parent.mkdir(exist_ok=True)
    images = pd.read_csv(copy / "runs/digits/data/train.csv")["image"]
    table = pd.DataFrame({"image": images, "group": "one thing"})
    table.to_csv(proposed, index=False, sep=";")  # as a spreadsheet may write it
    leaking = run(copy, "forecast").stdout
    assert "similar training images for 216 of 216 held-out images" in leaking
    for text in ("image,cluster\na,x\n", ""):
        proposed.write_text(text)
        wrong = run(copy, "forecast")
        assert wrong.returncode == 2
        assert "groups.csv" in wrong.stderr
    proposed.unlink()
    recorded = run(copy, "forecast", "rules.test_images=false")
    assert recorded.returncode == 0
    assert recorded.stdout.startswith("Recorded: the rules forbid looking at test images")
    refused = run(copy, "forecast")
    assert refused.returncode == 2
    assert "the rules forbid" in refused.stderr
    for path in (copy / "runs/digits/six/trials").glob("*/test.npz"):
        path.unlink()
    nothing = run(copy, "forecast", "rules.test_images=true")
    assert nothing.returncode == 2
    assert "no finished trial has predicted the test images" in nothing.stderr


def test_rules_that_forbid_test_images_are_remembered(scored: Path, tmp_path: Path) -> None:
    copy = contest_copy(scored, tmp_path)
    for path in (copy / "runs/digits").glob("shift-*.json"):
        path.unlink()
    for options in (("rules.test_images=false",), ()):
        page = run(copy, "trust", *options)
        assert page.returncode == 0, page.stderr
        assert "without test-weighted: the rules forbid it" in page.stdout
        assert "without agreement: the rules forbid it" in page.stdout
        assert not list((copy / "runs/digits").glob("shift-*.json"))
    page = run(copy, "trust", "rules.test_images=true", "backbone=test_vit")
    assert page.returncode == 0, page.stderr
    assert "a classifier tells test from hold-out images" in page.stdout
    # Gate and final selection weigh what the verdict weighed, not the baseline's embeddings.
    (weights,) = (copy / "runs/digits").glob("shift-*.json")
    assert run(copy, "final").returncode == 0
    raced = run(copy, "promote", "force=so", "race=2", "select=six-000")
    assert "takes the best itself" in raced.stderr  # after the verdict
    assert list((copy / "runs/digits").glob("shift-*.json")) == [weights]
    wrong = run(copy, "trust", "weights=x.safetensors")
    assert wrong.returncode == 2


def test_promotions_that_are_refused(scored: Path, tmp_path: Path) -> None:
    folder = contest_copy(scored, tmp_path)
    with_few_scores(folder / "runs/digits")
    for arguments, words in {
        (): "Not enough evidence",
        ("folds=6",): "the search's split has 5",
        ("folds=1",): "must be at least 2",
        ("select=six-099",): "unknown finished trial",
        ("folds=2", "select=six-099"): "unknown finished trial",
        ("folds=2", "select=six-006"): "held out fold 1",
        ("folds=2", "race=3"): "needs at least 4 folds",
        ("folds=2", "promote.backbone=resnet1"): "unknown backbone",
        ("folds=2", "promote.epoch=3"): "unknown parameter",
    }.items():
        wrong = run(folder, "promote", *arguments)
        assert wrong.returncode == 2, wrong.stdout
        assert words in wrong.stderr
    for command, options in {
        "export": ["to=model"],
        "predict": ["images=runs/digits/data/test"],
    }.items():
        early = run(folder, command, *options)
        assert early.returncode == 2, early.stdout
        assert "there is no promotion yet" in early.stderr


@pytest.fixture(scope="module")
def promoted(scored: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with three scores and the promotion ``two`` of two folds."""
    copy = contest_copy(scored, tmp_path_factory.mktemp("promoted"))
    with_few_scores(copy / "runs/digits")
    done = run(copy, "promote", "folds=2", "name=two", "quiet=true")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pooled" in done.stdout
    assert " than out of fold (0." in done.stdout
    return copy


@pytest.fixture(scope="module")
def entered(promoted: Path) -> Path:
    """The same, with the promotion submitted and scored."""
    made = run(promoted, "submit", "select=promotion:two")
    assert made.returncode == 0, made.stderr
    assert ", expected on the test 0." in made.stdout
    done = run(promoted, "score", "solution=runs/digits/data/solution.csv")
    assert done.returncode == 0, done.stderr
    return promoted


@pytest.fixture(scope="module")
def viewed(promoted: Path) -> tuple[str, str]:
    """A blend of the promotion ``two`` in two views, and what the command said that made it."""
    opened = images.open_pictures

    def slowly(*arguments: Any, **options: Any) -> Any:
        time.sleep(1.1)  # nothing is done yet when the first second is over
        return opened(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(views, "open_pictures", slowly)
        asked = ("select=two", "views=[rotate+5,zoom]", "recipe=mean", "json=true")
        done = run(promoted, "blend", *asked)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])["id"], done.stdout


def test_promotion_takes_over_what_was_trained(promoted: Path) -> None:
    search = Search.read(promoted / "runs/digits/two")
    taken = {t.config.run.fold: t.taken for t in search.trials.values()}
    best = next(iter(search.promotion.arms))
    assert taken[0] == best
    confirmed = Search.read(promoted / "runs/digits/six").of("confirm")
    wanted = next(t.config for t in search.trials.values() if t.config.run.fold == 1)
    assert taken[1] == next((t.id for t in confirmed if t.config == wanted), "")
    oof = Predictions.read(promoted / f"runs/digits/two/oof-{best}.npz")
    folds = pd.read_csv(search.folds_file)
    assert oof.images == tuple(folds["image"][folds["fold"] <= 1])


def test_a_promotion_is_submitted_and_scored(entered: Path) -> None:
    client = MlflowClient(f"sqlite:///{entered}/mlflow.db")
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    (parent,) = client.search_runs([experiment.experiment_id], f"tags.`{ID_TAG}` = 'digits/two'")
    assert "leaderboard/public" in parent.data.metrics
    (result,) = Search.read(entered / "runs/digits/two").arms.values()
    assert parent.data.metrics["full/macro_f1"] == pytest.approx(result.score)
    assert run(entered, "trust").returncode == 0
    assert run(entered, "forecast").returncode == 0
    table = pd.read_csv(entered / "runs/digits/forecast.csv").set_index("model")
    assert table.loc["two", "fold"] == "several"
    assert table.loc["two", "public"] == parent.data.metrics["leaderboard/public"]
    closed = Search.read(entered / "runs/digits/two").summary
    assert closed is not None
    assert closed.forecast is not None
    assert (closed.forecast.models, closed.forecast.images) == (2, 719)
    told = closed.forecast.winner
    assert told is not None
    uncorrected = {f"forecast/{end}": value for end, value in told}
    assert uncorrected.items() <= parent.data.metrics.items()
    search = Search.read(entered / "runs/digits/two")
    lost = search.trial_folder(next(iter(search.trials.values()))) / "test.npz"
    lost.rename(lost.with_name("kept.npz"))
    less = run(entered, "forecast")
    lost.with_name("kept.npz").rename(lost)
    assert less.returncode == 0, less.stderr
    assert "without a forecast of two: " in less.stdout
    unknown = run(entered, "submit", "select=promotion:tow")
    assert "did you mean two" in unknown.stderr


def test_views_of_a_promotion_blend(promoted: Path, viewed: tuple[str, str]) -> None:
    blend, told = viewed
    search = Search.read(promoted / "runs/digits/two")
    best = next(iter(search.promotion.arms))
    for arguments, words in {
        ("select=two",): f"two models or views, got two/{best}: views=[hflip] adds a view",
        ("select=two", "views=[hflp]"): "did you mean hflip",
        ("select=two", "views=[scale_0.75]"): "views=[scale_0.75]: scales and windows",
        ("select=two", "recipe=mea"): "did you mean mean",
        ("select=six-000",): "promote it first",
        ("select=tow",): "did you mean two",
    }.items():
        wrong = run(promoted, "blend", *arguments)
        assert wrong.returncode == 2, wrong.stdout
        assert words in wrong.stderr
    assert f"two/{best} with the mean of" in told
    price = r" points +[\d.]+ +[\d.e+]+ +\+\d+ % +[+-][\d.]+\n"
    for words in ("rotate\\+5", "zoom", "its 2 views"):
        assert re.search(rf"\n{words} .*{price}", told), told
    first = search.trial_folder(next(iter(search.trials.values())))
    zoomed = Predictions.read(first / "holdout-zoom.npz")
    assert (zoomed.probabilities != Predictions.read(first / "holdout.npz").probabilities).any()
    assert run(promoted, "submit", f"select=blend:{blend}").returncode == 0
    # What an export with these views is compared with is this blend, whatever of it is stored.
    blended = Predictions.read(promoted / "runs/digits/blends" / blend / "test.npz")
    asked = ExportConfig(runs=str(promoted / "runs"), promotion="two", views=["rotate+5", "zoom"])
    wanted = find_ensemble(open_standing(asked), asked), blended.images[:20], "", ""
    (first / "test-zoom.npz").rename(first / "kept.npz")
    anew = expected_views(*wanted).probabilities
    np.testing.assert_allclose(anew, blended.probabilities[:20], atol=1e-6)
    (first / "kept.npz").rename(first / "test-zoom.npz")
    kept = expected_views(*wanted).probabilities
    np.testing.assert_array_equal(kept, blended.probabilities[:20])
    # Parity covers views: predictions that the images do not give stop the submission.
    data = promoted / "runs/digits/data"
    data.rename(data.with_name("elsewhere"))  # what is predicted already needs no images
    again = run(promoted, "blend", "select=two", "views=[zoom]", "json=true")
    data.with_name("elsewhere").rename(data)
    assert again.returncode == 0, again.stderr
    assert "What views cost is not measured: image " in again.stdout
    assert re.search(r"\nzoom +[+-][\d.]+ points +[\d.]+ *\n", again.stdout)
    zoomed.of(zoomed.images[::-1]).write(first / "holdout-zoom.npz")
    stopped = run(promoted, "blend", "select=two", "views=[zoom]")
    assert "other images than the fold" in stopped.stderr
    flipped = Predictions.of_classes(
        images=zoomed.images,
        classes=zoomed.classes,
        probabilities=zoomed.probabilities[:, ::-1],
    )
    flipped.write(first / "holdout-zoom.npz")
    other = json.loads(again.stdout.splitlines()[-1])["id"]
    unlike = run(promoted, "submit", f"select=blend:{other}")
    assert unlike.returncode == 2
    assert "differ from what is stored" in unlike.stderr
    (first / "holdout-zoom.npz").unlink()


def test_views_are_tried_on_held_out_images_and_taken_where_they_pay(
    promoted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = Search.read(promoted / "runs/digits/two")
    monkeypatch.setattr(chosen_views, "usable_views", lambda members: ["vflip", "rotate+10"])
    told = run(promoted, "blend", "select=two", "views=auto", "json=true")
    assert told.returncode == 0, told.stderr
    assert "views=auto: vflip, 1 of 2, on held-out images\n" in told.stdout
    taken = re.search(r"\nTaken: (none|vflip|rotate\+10|.*, .*)[;,]", told.stdout)
    assert taken is not None
    none = taken[1] == "none"
    assert none == ("There is nothing to blend" in told.stdout)
    made = json.loads(told.stdout.splitlines()[-1])
    assert (made["id"] is None) == none
    if not none:
        written = json.loads((Path(made["path"]) / "blend.json").read_text())["views"]
        assert list(written["alone"]) == ["vflip", "rotate+10"]
        assert list(written["costs"]["views"]) == ["vflip", "rotate+10"]
        assert written["costs"]["seconds"] > 0
        assert "Taken: " in (Path(made["path"]) / "report.txt").read_text()
    for trial in search.trials.values():
        held, test = (search.trial_folder(trial) / f"{p}-vflip.npz" for p in ("holdout", "test"))
        assert held.exists()
        assert test.exists() == ("vflip" in taken[1])
    wrong = run(promoted, "blend", "select=two", "views=[auto,zoom]")
    assert "views=auto tries every view by itself" in wrong.stderr


def test_the_final_selection(entered: Path) -> None:
    for arguments, words in {
        ("select=4",): "must be 1, 2 or 3",
        ("images=-1",): "private test images",
    }.items():
        wrong = run(entered, "final", *arguments)
        assert wrong.returncode == 2, wrong.stdout
        assert words in wrong.stderr
    done = run(entered, "final", "images=400", "json=true")
    assert done.returncode == 0, done.stderr
    assert "400 private test images" in done.stdout
    for name in ("this one", "best public", "best validation", "one of each"):
        assert f"\n{name} " in done.stdout
    table = pd.read_csv(entered / "runs/digits/final.csv")
    chosen = set(table[table["selected"]]["submission"])
    assert chosen == set(json.loads(done.stdout.splitlines()[-1])["id"])
    assert "two" in set(table["of"])
    assert (table["private_low"] < table["private_expected"]).all()
    assert (table["private_expected"] < table["private_high"]).all()
    # The blend of one promotion alone is that promotion once more.
    leaderboard = Leaderboard.read(entered / "runs/digits")
    twin = leaderboard.of_trial("two")
    assert twin is not None
    (entered / "runs/digits/blends/draft").mkdir(parents=True)
    blend = leaderboard.add_blend(entered / "runs/digits/blends/draft", ("two",), "mean", 0.9)
    same = draft(entered / "runs/digits/submissions", Path(twin.file).read_text())
    again = leaderboard.add_submission(blend.id, same, source="blend")
    leaderboard.add_score(again.id, public=twin.public, private=None)
    doubled = run(entered, "final")
    assert f"{again.id} predicts the same as {twin.id}" in doubled.stdout


@pytest.fixture(scope="module")
def exported(promoted: Path) -> tuple[Path, str]:
    """The promotion ``two`` as a folder, and what the command said that made it."""
    done = run(promoted, "export", "promotion=two", "to=exported")
    assert done.returncode == 0, done.stderr
    return promoted / "exported", done.stdout


@pytest.mark.slow
def test_an_export_predicts_the_very_bits(
    promoted: Path, viewed: tuple[str, str], exported: tuple[Path, str], tmp_path: Path
) -> None:
    blend, _ = viewed
    for arguments, words in {
        (): "to= is needed",
        ("to=runs",): "not an empty folder",
        ("to=nowhere/model",): "there is no folder",
        ("to=model", "promotion=tow"): "did you mean two",
        ("to=model", "model=mine:net"): "was trained with model=''",
        ("to=model", "views=[zoom,hflp]"): "unknown view 'hflp' (in views): did you mean hflip",
        ("to=model", "views=[overlap_0.5]"): "scales and windows are for masks",
        ("to=model", "views=[zoom]", "onnx=true"): "onnx=true writes networks one by one",
        ("to=model", "views=[zoom]", "postprocess=m1"): "unknown post-processing 'm1'",
        ("to=model", f"blend={blend}", "onnx=true"): "onnx=true writes networks one by one",
    }.items():
        wrong = run(promoted, "export", *arguments)
        assert wrong.returncode == 2, wrong.stdout
        assert words in wrong.stderr
        assert not (promoted / "model").exists()
    told = run(promoted, "export", "promotion=two", "to=viewed", "views=[vflip,zoom]")
    assert told.returncode == 0, told.stderr
    assert "models of two, also in vflip, zoom" in told.stdout
    assert re.search(r"gives the blended probabilities of \d+ images", told.stdout)
    assert "registry: left out, it compares scores" in told.stdout
    blended = run(promoted, "export", f"blend={blend}", "to=blended")
    assert blended.returncode == 0, blended.stderr
    assert f"models of {blend}, also in rotate+5, zoom" in blended.stdout
    assert re.search(r"gives the blended probabilities of \d+ images", blended.stdout)
    model, said = exported
    assert "bit for bit" in said
    # The folder stands alone: elsewhere, and without this project on the path.
    alone = tmp_path / "elsewhere"
    shutil.copytree(model, alone)
    sources = "\n".join(p.read_text() for p in alone.rglob("*.py"))
    for ours in ("search", "results", "spaces", "trainables", "ray"):
        assert f"import {ours}" not in sources
        assert f"from {ours}" not in sources
    data = promoted / "runs/digits/data"
    command = [sys.executable, "-I", str(alone / "predict.py"), str(data)]
    told = subprocess.run(
        [*command, "--list", str(data / "test.csv"), "--out", "out.csv"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert "ms each on cpu" in told.stdout
    stored = Predictions.read(promoted / "runs/digits/two/test.npz")
    table = pd.read_csv(tmp_path / "out.csv", dtype=str)
    assert tuple(table["image"]) == stored.images
    found = table[list(stored.classes)].to_numpy().astype(np.float32)
    np.testing.assert_array_equal(found, stored.probabilities)
    names = np.array(stored.classes)[stored.probabilities.argmax(axis=1)]
    np.testing.assert_array_equal(table["label"], names)


@pytest.mark.slow
@pytest.mark.usefixtures("exported")
def test_the_registry_has_the_export(promoted: Path) -> None:
    """As pyfunc over safetensors, without pickles, the best out of fold as champion."""
    uri = f"sqlite:///{promoted}/mlflow.db"
    client = MlflowClient(uri)
    champion = client.get_model_version_by_alias("holdfold-digits", "champion")
    assert champion.tags["promotion"] == "two"
    assert not list((promoted / "mlartifacts").rglob("*.pkl"))
    script = (
        "import mlflow, pandas as pd, sys; mlflow.set_tracking_uri(sys.argv[1])\n"
        "model = mlflow.pyfunc.load_model('models:/holdfold-digits@champion')\n"
        "table = pd.DataFrame({'image': sys.argv[2:]})\n"
        "print(model.predict(table).to_csv(index=False))"
    )
    stored = Predictions.read(promoted / "runs/digits/two/test.npz")
    paths = [str(promoted / "runs/digits/data" / i) for i in stored.images[:3]]
    told = subprocess.run(
        [sys.executable, "-c", script, uri, *paths],
        capture_output=True,
        text=True,
        check=False,
        cwd=promoted,
    )
    assert told.returncode == 0, told.stderr
    table = pd.read_csv(io.StringIO(told.stdout))
    np.testing.assert_allclose(table.to_numpy(), stored.probabilities[:3], atol=1e-5)
    # A worse one comes in, but not to the top.
    search = Search.read(promoted / "runs/digits/two")
    (promoted / "again").mkdir()
    assert run(promoted, "export", "promotion=two", "to=again", "register=false").returncode == 0
    words = register(client, search, promoted / "again", 0.01)
    assert "two stays champion" in words
    after = client.get_model_version_by_alias("holdfold-digits", "champion")
    assert after.version == champion.version


def test_a_folder_of_images_is_predicted(
    promoted: Path,
    viewed: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blend, _ = viewed
    stored = Predictions.read(promoted / "runs/digits/two/test.npz")
    folder = tmp_path / "new"
    (folder / "deeper").mkdir(parents=True)
    for i, name in enumerate(stored.images[:150]):
        shutil.copy(promoted / "runs/digits/data" / name, folder / f"deeper/{i:03d}.png")
    (folder / "notes.txt").write_text("not an image, and no error either")
    for arguments, words in {
        (): "images= is needed",
        ("images=nowhere",): "there is no such folder",
        (f"images={tmp_path / 'new'}", "promotion=tow"): "did you mean two",
        (f"images={tmp_path / 'new'}", "to=nowhere/x.csv"): "there is no folder",
        (f"images={tmp_path / 'new'}", "views=[hflp]"): "did you mean hflip",
    }.items():
        wrong = run(promoted, "predict", *arguments)
        assert wrong.returncode == 2, wrong.stdout
        assert words in wrong.stderr
    monkeypatch.setattr(predictor, "CHUNK", 64)
    monkeypatch.setattr(image_predictions, "EVERY", 0)
    whole = run(promoted, "predict", f"images={folder}", f"to={tmp_path / 'whole.csv'}")
    assert whole.returncode == 0, whole.stderr
    assert "images/s" in whole.stdout
    table = pd.read_csv(tmp_path / "whole.csv", dtype=str)
    assert table["image"][0] == "deeper/000.png"
    found = table[list(stored.classes)].to_numpy().astype(np.float32)
    np.testing.assert_allclose(found, stored.probabilities[:150], atol=1e-5)
    # A blend's views are its own, and may be asked for of the promotion; or left out.
    blended = Predictions.read(promoted / "runs/digits/blends" / blend / "test.npz")
    for options, expected in (
        ((f"blend={blend}",), blended),
        (("promotion=two", "views=[rotate+5,zoom]"), blended),
        ((f"blend={blend}", "views=[]"), stored),
    ):
        to = f"to={tmp_path / 'viewed.csv'}"
        done = run(promoted, "predict", f"images={folder}", *options, to)
        assert done.returncode == 0, done.stderr
        assert ("also in rotate+5, zoom" in done.stdout) == (expected is blended)
        rows = pd.read_csv(tmp_path / "viewed.csv", dtype=str)[list(stored.classes)]
        told = rows.to_numpy().astype(np.float32)
        np.testing.assert_allclose(told, expected.probabilities[:150], atol=1e-5)
        assert np.abs(told - found).max() > 1e-3 or expected is stored
    (tmp_path / "viewed.csv").unlink()
    # Cut off after the first chunk, it goes on with the second; what does not decode is listed.
    (folder / "broken.png").write_bytes(b"no image")
    read = Predictor.read
    seen: list[Path] = []

    def cut_off(self: Predictor, path: Path, box: Any = None) -> Any:
        seen.append(path)
        if len(seen) == 100:
            raise KeyboardInterrupt
        return read(self, path, box)

    to = f"to={tmp_path / 'halves.csv'}"
    with monkeypatch.context() as patch:
        patch.setattr(Predictor, "read", cut_off)
        assert run(promoted, "predict", f"images={folder}", to).returncode == 3
    assert not (tmp_path / "halves.csv").exists()
    rest = run(promoted, "predict", f"images={folder}", to, "json=true")
    assert rest.returncode == 1, rest.stderr
    assert "going on after 64 images" in rest.stdout
    assert json.loads(rest.stdout.splitlines()[-1])["left_out"] == ["broken.png"]
    halves = pd.read_csv(tmp_path / "halves.csv", dtype=str)
    assert list(halves["image"]) == list(table["image"])
    again = halves[list(stored.classes)].to_numpy().astype(np.float32)
    np.testing.assert_allclose(again, found, atol=1e-5)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["halves.csv", "new", "whole.csv"]


def test_a_promotion_of_changed_images_is_refused(promoted: Path, tmp_path: Path) -> None:
    copy = contest_copy(promoted, tmp_path)
    with_few_scores(copy / "runs/digits")
    data = copy / "runs/digits/data"
    next((data / "train").iterdir()).write_bytes(next((data / "test").iterdir()).read_bytes())
    changed = run(copy, "promote", "folds=2")
    assert changed.returncode == 2
    assert "were changed since the search" in changed.stderr


def test_a_changed_image_stops_the_submission(folder: Path, tmp_path: Path) -> None:
    copy = contest_copy(folder, tmp_path)
    images = copy / "runs/digits/data/test"
    pictures = sorted(images.iterdir())
    contents = [p.read_bytes() for p in pictures]
    for path, data in zip(pictures, contents[1:] + contents[:1], strict=True):
        path.write_bytes(data)
    wrong = run(copy, "submit", "select=best")
    assert wrong.returncode == 2
    assert "predicted anew differ from what is stored" in wrong.stderr
    assert not (copy / "runs/digits/leaderboard.jsonl").exists()
    assert not list((copy / "runs/digits").glob("submissions/*"))


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
