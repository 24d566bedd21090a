"""MLflow as a projection: killed on either side of every write, read as data, no secrets."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from results.leaderboard.leaderboard import Leaderboard
from results.records.ledger import Ledger
from results.records.secrets import masked, without_password
from results.tracking import store
from results.tracking.competition import log_notes
from results.tracking.history import tracked_trials
from results.tracking.internals import make_tables
from results.tracking.run_log import BATCH
from results.tracking.store import ID_TAG, find_experiment, open_client, page_links
from results.tracking.tracker import Tracker
from search import sync
from search.options.analysis import SyncConfig
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from tests.records import draft, ended, job_event, opening_event, started

CONFIG = TrialConfig.of(epochs=2)


class KilledError(BaseException):
    """Stands for the end of the process: nothing of ours catches it."""


def write_job(folder: Path) -> None:
    """A job of two trials, one of them stopped early."""
    ledger = Ledger(folder / "ledger.jsonl")
    ledger.add(opening_event("j", CONFIG, hypothesis="it helps"))
    for number in range(2):
        trial = f"j-{number:03d}"
        config = CONFIG.replace(seed=number)
        ledger.add(started(trial, config, params={"lr": config.optimizer.lr}))
        for epoch in range(1, 3 - number):
            report = {
                "epoch": epoch,
                "metrics": {"val/accuracy": 0.5 + epoch / 10, "train/loss": 1.0},
                "seconds": {"total": 1.0, "feed": 0.5, "compute": 0.4},
                "images": 10,
            }
            ledger.add(job_event("epoch", trial=trial, report=report))
        ledger.add(ended(trial, "stopped"))
    ledger.close()


def test_a_database_whose_making_was_killed_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "make_tables", make_tables)  # no copy
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    child = multiprocessing.get_context("fork").Process(target=open_client, args=(uri,))
    child.start()
    while sum(p.stat().st_size for p in tmp_path.rglob("*.db")) < 300_000:  # of 950,000
        assert child.is_alive()
        time.sleep(0.01)
    child.kill()
    child.join()
    assert not (tmp_path / "mlflow.db").exists()
    open_client(uri).create_experiment("c")
    assert {p.name for p in tmp_path.iterdir()} == {"mlflow.db", "mlflow.db.lock"}


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("call", ["create_run", "log_inputs", "log_batch", "set_terminated"])
def test_a_tracker_killed_at_any_write_leaves_no_gap_and_no_double(
    tmp_path: Path, uri: str, monkeypatch: pytest.MonkeyPatch, call: str, side: str
) -> None:
    folder = tmp_path / "runs/c/j"
    write_job(folder)
    whole: Callable[..., Any] = getattr(MlflowClient, call)
    left = [2]

    def dying(*args: Any, **kwargs: Any) -> Any:
        left[0] -= 1
        if left[0] == 0 and side == "before":
            raise KilledError
        result = whole(*args, **kwargs)
        if left[0] == 0:
            raise KilledError
        return result

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, call, dying)
        with pytest.raises(KilledError):
            Tracker(folder, uri).catch_up()
    Tracker(folder, uri).catch_up()
    client = open_client(uri)
    experiment = client.get_experiment_by_name("c")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert sorted(r.data.tags[ID_TAG] for r in runs) == ["c/j", "c/j-000", "c/j-001"]
    for trial, steps in {"c/j-000": [1, 2], "c/j-001": [1]}.items():
        (run,) = [r for r in runs if r.data.tags[ID_TAG] == trial]
        assert run.info.status == "FINISHED"
        history = client.get_metric_history(run.info.run_id, "val/accuracy")
        assert [m.step for m in history] == steps
        files = {file.path for file in client.list_artifacts(run.info.run_id)}
        assert files == {"policy.json", "policy.txt"}
        assert run.data.params["lr"] == str(CONFIG.optimizer.lr)
        assert run.data.tags["state"] == "stopped"
        assert run.inputs is not None
        assert [i.dataset.name for i in run.inputs.dataset_inputs] == ["c"]


def test_two_trackers_of_a_job_that_goes_on_make_every_run_once(tmp_path: Path, uri: str) -> None:
    """As when a job is brought up to date by hand while it runs."""
    folder = tmp_path / "runs/c/j"
    write_job(folder)
    one, other = Tracker(folder, uri), Tracker(folder, uri)
    one.catch_up()
    other.catch_up()
    ledger = Ledger(folder / "ledger.jsonl")
    ledger.add(started("j-002", CONFIG.replace(seed=2)))
    ledger.close()
    other.catch_up()
    one.catch_up()
    client = open_client(uri)
    experiment = client.get_experiment_by_name("c")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    names = ["c/j", "c/j-000", "c/j-001", "c/j-002"]
    assert sorted(r.data.tags[ID_TAG] for r in runs) == names


def test_more_metrics_than_a_request_takes_are_all_there(tmp_path: Path, uri: str) -> None:
    folder = tmp_path / "runs/c/j"
    ledger = Ledger(folder / "ledger.jsonl")
    ledger.add(opening_event("j", CONFIG))
    ledger.add(started("j-000", CONFIG))
    metrics = {f"val/recall.{name}": name / 1000 for name in range(BATCH + 300)}
    report = {"epoch": 1, "metrics": metrics, "seconds": {"total": 1.0}}
    ledger.add(job_event("epoch", trial="j-000", report=report))
    ledger.close()
    Tracker(folder, uri).catch_up()
    client = open_client(uri)
    experiment = client.get_experiment_by_name("c")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id], f"tags.`{ID_TAG}` = 'c/j-000'")
    assert run.data.metrics == {**metrics, "seconds/total": 1.0}


def test_trials_are_read_back_as_data(tmp_path: Path, uri: str) -> None:
    folder = tmp_path / "runs/c/j"
    write_job(folder)
    Tracker(folder, uri).catch_up()
    found = tracked_trials(uri, "c", metric="accuracy", data="d1", folds="f1")
    assert {t.id: (t.scores, t.finished) for t in found} == {
        "c/j-000": ((0.6, 0.7), False),
        "c/j-001": ((0.6,), False),
    }
    assert {t.digest for t in found} == {CONFIG.digest, CONFIG.replace(seed=1).digest}
    assert float(found[0].params["lr"]) == CONFIG.optimizer.lr
    assert tracked_trials(uri, "c", metric="accuracy", data="other", folds="f1") == []
    assert tracked_trials(uri, "nobody", metric="accuracy", data="d1", folds="f1") == []


def test_hypotheses_and_conclusions_are_tags(tmp_path: Path, uri: str) -> None:
    folder = tmp_path / "runs/c/j"
    write_job(folder)
    Tracker(folder, uri).catch_up()
    leaderboard = Leaderboard.read(folder.parent)
    leaderboard.add_note("j-000", "a longer warm-up helps", "", "anna")
    leaderboard.add_note("j-000", "", "it does not", "ben")
    leaderboard = Leaderboard.read(folder.parent)
    assert leaderboard.notes["j-000"].hypothesis == "a longer warm-up helps"
    client = open_client(uri)
    log_notes(client, "c", leaderboard)
    experiment = client.get_experiment_by_name("c")
    assert experiment is not None
    tags = {
        r.data.tags[ID_TAG]: r.data.tags for r in client.search_runs([experiment.experiment_id])
    }
    assert tags["c/j"]["hypothesis"] == "it helps"
    assert tags["c/j-000"]["conclusion"] == "it does not"
    assert tags["c/j-000"]["hypothesis"] == "a longer warm-up helps"


def test_what_a_competition_recorded_while_the_store_was_away_is_copied(
    tmp_path: Path, uri: str
) -> None:
    """Twice adds nothing twice."""
    write_job(tmp_path / "runs/c/j")
    leaderboard = Leaderboard.read(tmp_path / "runs/c")
    leaderboard.add_submission("j-000", draft(tmp_path / "runs/c"))
    leaderboard.add_submission("anna", draft(tmp_path / "runs/c"), "anna", source="import")
    leaderboard.add_score("s001", public=0.7, private=None)
    leaderboard.add_score("s002", public=0.8, private=0.6)
    (tmp_path / "runs/c/blends").mkdir()
    blend = tmp_path / "runs/c/blends/.blend"
    blend.mkdir()
    (blend / "blend.json").write_text('{"recipes": {"mean": {"in_sample": 0.9, "honest": 0.8}}}')
    for name in ("report.txt", "models.csv", "errors.png"):
        (blend / name).write_text("x\n")
    leaderboard.add_blend(blend, ("p1/j-000", "anna"), "mean", 0.8)
    leaderboard.add_note("j-000", "it helps", "", "anna")
    nowhere = f"sqlite:///{tmp_path}/nowhere/x.db"
    with pytest.raises(InputError, match=r"nowhere/x\.db: there is no folder"):
        sync.run(SyncConfig(runs=str(tmp_path / "runs"), tracking=nowhere))
    assert not (tmp_path / "nowhere").exists()
    for _ in range(2):
        assert sync.run(SyncConfig(runs=str(tmp_path / "runs"), tracking=uri)) == 0
    client = open_client(uri)
    experiment = client.get_experiment_by_name("c")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id])
    data = {r.data.tags[ID_TAG]: r.data for r in found}
    assert sorted(data) == ["c/anna", "c/b001", "c/j", "c/j-000", "c/j-001"]
    assert len(found) == len(data)
    assert data["c/j-000"].metrics["leaderboard/public"] == 0.7
    assert data["c/j-000"].tags["hypothesis"] == "it helps"
    assert data["c/anna"].metrics == {"leaderboard/public": 0.8, "leaderboard/private": 0.6}
    assert data["c/b001"].metrics["blend/honest.mean"] == 0.8


def test_a_trial_that_ran_out_of_memory_can_be_read_again(tmp_path: Path, uri: str) -> None:
    """Parameters cannot be changed: the smaller micro-batch is a tag."""
    folder = tmp_path / "runs/c/j"
    write_job(folder)
    ledger = Ledger(folder / "ledger.jsonl")
    config = CONFIG.replace(seed=7)
    ledger.add(started("j-002", config))
    ledger.commit()
    Tracker(folder, uri).catch_up()
    ledger.add(ended("j-002", "interrupted", fault="memory", micro_batch=32))
    ledger.add(job_event("trial_resumed", trial="j-002"))
    ledger.close()
    for _ in range(2):
        Tracker(folder, uri).catch_up()
    client = open_client(uri)
    experiment = client.get_experiment_by_name("c")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id], f"tags.`{ID_TAG}` = 'c/j-002'")
    assert run.data.params["micro_batch"] == "64"
    assert run.data.tags["changed"] == "micro_batch=32"
    assert run.data.tags["config.digest"] == config.digest


def test_a_password_is_in_no_message(tmp_path: Path) -> None:
    folder = tmp_path / "runs/c/j"
    write_job(folder)
    tracker = Tracker(folder, "http://anna:hunter2@127.0.0.1:9")
    tracker.start()
    assert not tracker.finish(patience=30)
    assert tracker.problem
    assert "hunter2" not in tracker.problem


def test_passwords_are_masked_in_any_form() -> None:
    uri = "http://anna:p%40ss@host/x"
    assert without_password(uri) == "http://anna:***@host/x"
    assert masked("API request to http://anna:p@ss@host failed", uri).count("p@ss") == 0
    assert masked("nothing", "sqlite:///mlflow.db") == "nothing"


def test_links_open_the_half_of_the_ui_that_shows_trainings(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = open_client(uri)
    number = find_experiment(client, uri, "digits")
    client.create_experiment("somebody else's", artifact_location=str(tmp_path))
    every, ours = page_links(client, "http://127.0.0.1:5000")
    assert every == "http://127.0.0.1:5000/#/experiments?workflowType=machine_learning"
    assert f"/experiments/{number}/runs?workflowType=machine_learning" in ours
    assert ours.endswith("  digits")
