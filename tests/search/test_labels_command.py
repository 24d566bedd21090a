"""From a promotion's predictions to suspicious labels, and from a table of corrections to a job."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from results.metrics import METRICS
from results.predictions import Predictions
from results.records.confirmation import concerns, confirmation_arms
from results.records.ledger import Ledger
from results.records.opening import CorrectionsRecord
from results.records.trials import Search
from results.reporting.report import report
from results.reporting.summary import _corrected_gain
from results.tracking.store import ID_TAG, open_client
from results.tracking.uri import default_uri
from search import labels
from search.competition.corrections import trained_with
from search.jobs.resume import check_unchanged
from search.jobs.reuse import KnownTrainings
from search.options.analysis import LabelsConfig
from search.options.command_line import main, parse
from search.options.training import RunConfig
from search.promotion.label_suspects_report import unsettled_suspects
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from tests.records import ended, job_event, opening_event, started
from tests.regenerate_docs import RECORDED
from tests.search.test_job import prepared
from trainables.data.contest import Contest
from trainables.data.corrections import read_corrections
from trainables.data.folds import Folds
from trainables.data.image_store import ImageStore

WRONG = (3, 250, 777)
"""Rows whose label the constructed models do not believe."""

CONFIG = TrialConfig.of(epochs=1, warmup_epochs=0, size=(32, 32), store_side=44)


def believed(folds: Folds) -> np.ndarray[Any, Any]:
    """Probabilities that are sure of every label but a few, which they take for the next class."""
    told = folds.labels.copy()
    told[list(WRONG)] = (told[list(WRONG)] + 1) % 10
    return np.asarray(np.where(np.eye(10, dtype=bool)[told], 0.91, 0.01), np.float32)


def record(runs: Path, contest: Contest, store: ImageStore, folds: Folds, trained: int) -> None:
    """Writes a search without trials, and a promotion that trained some folds."""
    folder = runs / "digits"
    folder.mkdir(parents=True)
    file = folds.write(folder)
    pd.DataFrame({"image": contest.test_images}).to_csv(folder / "test-x.csv", index=False)
    data = {"root": str(contest.files.root), "digest": store.digest, "test": "test-x.csv"}
    count = {"file": file.name, "digest": folds.digest, "count": 5, "sizes": [1] * 5}
    about: dict[str, Any] = {"competition": "digits", "data": data, "folds": count}
    about |= {"classes": list(contest.classes), "metric": "macro_f1"}
    options = {"metric": "macro_f1", "direction": ""}
    options |= asdict(parse(RunConfig, ["data=csv", f"data.root={contest.files.root}"]))
    with contextlib.closing(Ledger(folder / "s/ledger.jsonl")) as ledger:
        ledger.add(opening_event("s", CONFIG, **about, options=options))
    asked = {"arms": {"s-000": CONFIG.to_json()}, "parents": {"s-000": "s-000"}}
    asked |= {"scores": {"s-000": 0.9}, "folds": trained, "seeds": 1, "race": [], "changes": {}}
    asked |= {"optimism": None, "verdict": "", "force": ""}
    probabilities = believed(folds)
    with contextlib.closing(Ledger(folder / "p/ledger.jsonl")) as ledger:
        ledger.add(opening_event("p", CONFIG, **about, kind="promotion", promotion=asked))
        for fold in range(trained):
            name, rows = f"p-{fold:03d}", folds.held_out(fold)
            ledger.add(started(name, CONFIG.replace(fold=fold), why="fold", arm="s-000"))
            ledger.add(ended(name))
            Predictions.of_classes(
                images=tuple(folds.images[row] for row in rows),
                classes=contest.classes,
                probabilities=probabilities[rows],
            ).write(folder / f"p/trials/{name}/holdout.npz")
        ends = {"low": 0.9, "high": 1.0, "value": 1.0}
        arm = {"score": 1.0, "images": 9, "interval": None, "given_models": ends, "folds": {}}
        cost = {"wall": 1.0, "tracking": 0.0, "images": 1, "epochs": 1}
        cost |= {"trials/total": 1.0, "trials/beside": 0.0}
        closed: dict[str, Any] = {
            "counts": {},
            "winner": None,
            "baseline": None,
            "optimism": None,
            "cost": cost,
        }
        arms = {"s-000": {**arm, "chosen": None, "optimism": None}}
        closed |= {
            "state": "finished",
            "comparisons": [],
            "watched": [],
            "forecast": None,
            "arms": arms,
        }
        ledger.add(job_event("closed", **closed))


def run(*arguments: str) -> tuple[int, list[str], str]:
    """Runs the command within this process; returns code, lines and errors."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(sys, "argv", ["labels", *arguments])
        with pytest.raises(SystemExit) as ended:
            main(LabelsConfig, labels.run, labels.__doc__ or "")
    return int(ended.value.code or 0), out.getvalue().splitlines(), err.getvalue()


def test_from_a_promotion_to_a_page_and_proposals(
    contest: Contest, store: ImageStore, folds: Folds, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    record(runs, contest, store, folds, trained=5)
    client = open_client(default_uri(runs))
    experiment = client.create_experiment("digits", artifact_location=str(tmp_path / "files"))
    code, lines, errors = run(f"runs={runs}", "json=true")
    assert code == 0, errors
    folder = runs / "digits/labels/p"
    assert json.loads(lines[-1]) == {"id": "p", "path": str(folder)}
    assert "3 of 1,078 labels are suspicious" in next(line for line in lines if "digits:" in line)
    command = next(line for line in lines if "space=labels" in line)
    assert f"data.corrections={folder}/corrections.csv" in command
    assert f"data.root={contest.files.root}" in command
    proposals = pd.read_csv(folder / "corrections.csv", dtype=str)
    assert list(proposals) == ["image", "given", "label", "score"]
    assert set(proposals["image"]) == {folds.images[row] for row in WRONG}
    for _, row in proposals.iterrows():
        assert int(row["label"]) == (int(row["given"]) + 1) % 10
    table = pd.read_csv(folder / "suspects.csv", dtype=str)
    assert set(table["row"].astype(int)) == {row + 2 for row in WRONG}  # lines of train.csv
    assert (table["looks_like"].str.count("; ") == 3).all()
    page = (folder / "index.html").read_text()
    assert all(folds.images[row] in page for row in WRONG)
    assert page.count("<img") == 3 * (1 + 4)
    client = open_client(default_uri(runs))
    (logged,) = client.search_runs([experiment], f"tags.`{ID_TAG}` = 'digits/labels'")
    assert {f.path for f in client.list_artifacts(logged.info.run_id)} >= {"index.html"}

    edited = "image,given,label,score\n" + proposals.to_csv(index=False).split("\n")[1] + "\n"
    (folder / "corrections.csv").write_text(edited)
    code, lines, _ = run(f"runs={runs}")
    assert code == 0
    assert "corrections.csv was edited and is kept as it is; remove it for new proposals" in lines
    assert (folder / "corrections.csv").read_text() == edited


def test_every_image_has_to_be_predicted_out_of_fold(
    contest: Contest, store: ImageStore, folds: Folds, tmp_path: Path
) -> None:
    record(tmp_path / "runs", contest, store, folds, trained=2)
    code, _, errors = run(f"runs={tmp_path}/runs")
    assert code == 2
    assert "promotion=p: it trained 2 of 5 folds" in errors
    assert "search.promote folds=5" in errors
    assert not (tmp_path / "runs/digits/labels").exists()
    code, _, errors = run(f"runs={tmp_path}/runs", "promotion=q")
    assert code == 2
    assert "q" in errors


def fixes(folds: Folds, path: Path, text: str = "") -> Path:
    """Corrections of the wrong rows: to the next class, one of them left out."""
    lines = ["image,given,label"]
    for row in WRONG:
        given = int(folds.labels[row])
        lines.append(f"{folds.images[row]},{given},{'' if row == 777 else (given + 1) % 10}")
    path.write_text("\n".join([*lines, text]))
    return path


def test_what_a_person_looked_at_is_no_suspect_any_more(folds: Folds, tmp_path: Path) -> None:
    probabilities = believed(folds)
    assert set(unsettled_suspects(probabilities, folds, None).rows.tolist()) == set(WRONG)
    path = tmp_path / "fixes.csv"
    right = f"{folds.images[250]},{folds.labels[250]}"
    path.write_text(f"image,label\n{right}\n{folds.images[777]},\n")
    classes = tuple(map(str, range(10)))
    settled = read_corrections(path, folds.images, folds.labels, classes)
    assert unsettled_suspects(probabilities, folds, settled).rows.tolist() == [3]


def test_corrections_are_recorded_and_bind_a_job(
    contest: Contest, folds: Folds, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    options = ["data=csv", "data.name=digits", f"data.root={contest.files.root}", "fix.size=32"]
    options += ["fix.backbone=test_resnet", "epochs=2"]
    for asked in ("space=labels", "fix.labels=drop"):
        with pytest.raises(InputError, match=r"there are no corrections; data\.corrections= names"):
            prepared(runs, *options, asked)
    with pytest.raises(InputError, match=r"corrections is not .*data\.corrections="):
        prepared(runs, *options, "fix.corrections=x")
    table = f"data.corrections={fixes(folds, tmp_path / 'fixes.csv')}"
    ready = prepared(runs, *options, "space=labels", table)
    told = ready.opening.corrections
    assert (told.relabelled, told.left_out) == (2, 1)
    assert ready.job.corrections == str(runs / f"digits/corrections-{told.digest}.csv")
    assert ready.baseline.labels.corrections == told.digest
    assert ready.folds.digest == folds.digest  # the yardstick is the same

    search = Search(folder=runs / "digits/x", opened=ready.opening)
    config = parse(RunConfig, [])
    check_unchanged(search, ready, config)
    more = f"{folds.images[9]},,\n"
    other = f"data.corrections={fixes(folds, tmp_path / 'others.csv', more)}"
    with pytest.raises(InputError, match="cannot go on with something else: baseline corrections"):
        check_unchanged(search, prepared(runs, *options, "space=labels", other), config)

    given, config = ready.baseline, ready.baseline.replace(labels="relabel")
    assert given.digest == given.replace(corrections="").digest  # it makes no use of them
    assert config.digest != config.replace(corrections="other").digest
    assert trained_with([given, config]) == told.digest
    with pytest.raises(InputError, match="different corrections"):
        trained_with([config, config.replace(corrections="other")])


def test_trainings_scored_on_other_corrections_are_not_taken_over(
    contest: Contest, folds: Folds, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    options = ["data=csv", "data.name=digits", f"data.root={contest.files.root}", "fix.size=32"]
    options += ["fix.backbone=test_resnet", "epochs=2"]
    plain = prepared(runs, *options, "name=plain")
    folder = runs / "digits/plain"
    report = {"epoch": 2, "metrics": {"val/macro_f1": 0.5}, "seconds": {"total": 1.0}}
    with contextlib.closing(Ledger(folder / "ledger.jsonl")) as ledger:
        ledger.add(plain.opening)
        ledger.add(started("plain-000", plain.baseline, why="baseline"))
        ledger.add(job_event("epoch", trial="plain-000", report=report))
        ledger.add(ended("plain-000"))
    for part in ("holdout", "test"):
        (folder / "trials/plain-000").mkdir(parents=True, exist_ok=True)
        (folder / f"trials/plain-000/{part}.npz").touch()
    again = prepared(runs, *options)
    assert KnownTrainings(again, weights=False, accept=()).find(again.baseline) is not None
    shared = prepared(runs, *options, "resources.gpu=2")  # each process sees half of a batch
    assert KnownTrainings(shared, weights=False, accept=()).find(shared.baseline) is None
    table = f"data.corrections={fixes(folds, tmp_path / 'fixes.csv')}"
    corrected = prepared(runs, *options, table)
    assert KnownTrainings(corrected, weights=False, accept=()).find(corrected.baseline) is None


def test_a_winner_with_corrected_labels_has_labels_as_given_as_its_control() -> None:
    baseline = TrialConfig.of(corrections="x")
    winner = baseline.replace(labels="relabel")
    arms = confirmation_arms(winner, baseline)
    assert arms["labels as given (the baseline)"] == baseline
    assert set(arms) == {"winner", "TrivialAugment", "labels as given (the baseline)"}
    faster = winner.replace(lr=0.5)
    assert confirmation_arms(faster, baseline)["labels as given"] == baseline.replace(lr=0.5)
    assert "labels as given" not in str(confirmation_arms(baseline.replace(lr=0.5), baseline))
    search = Search.read(RECORDED)
    best = search.best(search.of("sampled"))
    assert best is not None
    ours = replace(best, config=best.config.replace(labels="drop", corrections="x"))
    given = ours.config.replace(labels="given", seed=1, fold=1)
    control = replace(search.of("confirm")[0], arm="labels as given", asked=given)
    assert concerns(control, ours, search)
    assert not concerns(replace(control, asked=given.replace(lr=0.123)), ours, search)


def test_the_closing_page_tells_scores_on_both_labels() -> None:
    search = Search.read(RECORDED)
    assert "on corrected labels" not in "\n".join(report(search))
    corrections = CorrectionsRecord(digest="x", relabelled=12, left_out=3)
    search.opened = search.opened.model_copy(update={"corrections": corrections})
    for trial in search.trials.values():
        metrics = trial.epochs[-1].metrics
        ahead = 0.02 if trial.arm == "winner" else 0.01
        metrics["val/macro_f1_corrected"] = metrics["val/macro_f1"] + ahead
    assert search.summary is not None
    told = []
    for c in search.summary.comparisons:
        points = _corrected_gain(search, METRICS["macro_f1"], c)
        assert points == pytest.approx(c.gain + 1.0, abs=0.01)  # the winner's rose by one more
        told.append(c.model_copy(update={"corrected": points}))
    search.summary = search.summary.model_copy(update={"comparisons": tuple(told)})
    page = "\n".join(report(search))
    assert "on corrected labels (12 changed and 3 left out in all) it has" in page
    assert "all other scores use the labels as given" in page
    assert "on corrected labels" in page
