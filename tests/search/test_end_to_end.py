"""The whole line through the command line: real Ray, real MLflow on sqlite, real signals."""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow.tracking import MlflowClient

from results.metrics import custom_metric
from results.predictions import Predictions
from results.records.trials import Search
from results.tracking.store import ID_TAG
from results.tracking.tracker import Tracker
from search.execution import cluster_answer
from search.execution.cluster_answer import check_cluster
from search.options.user_code import load_parts
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from tests.commands import command, make_before, run, run_process
from tests.records import raw_events
from trainables.data.folds import Folds
from trainables.data.image_store import ImageStore
from trainables.training.context import TrainingContext
from trainables.training.fit import fit

TRIALS = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the team's own module, in which one search has run."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "team.py").write_text(
        "import torch\n"
        "from optuna.distributions import CategoricalDistribution, FloatDistribution\n"
        "from spaces.param import Param\n"
        "from spaces.space import SearchSpace\n"
        "def space():\n"
        "    return SearchSpace(name='team', params=(\n"
        "        Param(name='lr', distribution=FloatDistribution(1e-3, 1e-2, log=True)),\n"
        "        Param(name='policy', distribution=CategoricalDistribution(\n"
        "            ('none', 'blurred'))),\n"
        "    ))\n"
        "def hits(labels, probabilities):\n"
        "    return float((probabilities.argmax(1) == labels).mean())\n"
        "def net(config, classes):\n"
        "    return torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(8), torch.nn.Flatten(),\n"
        "                               torch.nn.Linear(192, classes))\n"
        "def broken(config):\n"
        "    def loss(logits, targets):\n"
        "        if len(logits) > 2:  # it holds on the tiny batch that it is tried on\n"
        "            raise RuntimeError('this one was bound to fail')\n"
        "        return (logits.log_softmax(1) * -targets).sum(1).mean()\n"
        "    return loss\n"
    )
    shutil.copy(Path(__file__).parents[1] / "own_parts.py", folder)
    return folder


@pytest.fixture(scope="module")
def finished(folder: Path) -> subprocess.CompletedProcess[str]:
    return run_process(
        folder,
        "run",
        "space=team:space",
        "metric=team:hits",
        "direction=maximize",
        "model=team:net",
        "parts=[own_parts]",
        "fix.action=noted",
        "fix.loss=poly",
        "fix.epsilon=0.5",
        "fix.sampling=doubled",
        "fix.schedule=halved",
        "fix.averaging=halfway",
        "fix.mix=mirrored",
        f"trials={TRIALS}",
        "epochs=2",
        "confirm=2",
        "scheduler.grace=1",
        "name=first",
        "json=true",
    )


@pytest.fixture(scope="module")
def search(folder: Path, finished: subprocess.CompletedProcess[str]) -> Search:
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return Search.read(folder / "runs/digits/first")


def test_it_ends_with_a_sentence_and_the_next_commands(
    finished: subprocess.CompletedProcess[str], search: Search
) -> None:
    assert finished.stderr == ""
    out = finished.stdout
    assert "the winner" in out
    assert "On images like the hold-out, which did not choose it" in out
    assert "python -m search.show first" in out
    last = json.loads(out.splitlines()[-1])
    assert last["id"] == "first"
    assert last["winner"] in search.trials
    assert len(out.splitlines()) < 60


def test_the_ledger_holds_every_epoch_once(search: Search) -> None:
    assert search.summary is not None
    assert [t.why for t in search.trials.values()][:5] == ["baseline"] + ["sampled"] * TRIALS
    for trial in search.trials.values():
        assert trial.state in ("finished", "stopped")
        assert [e.epoch for e in trial.epochs] == list(range(1, trial.epoch + 1))
        assert trial.ended is not None
    controls = [t for t in search.trials.values() if t.why != "sampled"]
    assert all(t.state == "finished" for t in controls)
    assert search.opened.digests.code


def test_predictions_reproduce_the_scores(search: Search) -> None:
    labels = {}
    table = search.folds_file.read_text().splitlines()[1:]
    for line in table:
        image, label, _fold = line.split(",")
        labels[image] = int(label)
    for trial in search.trials.values():
        stored = Predictions.read(search.trial_folder(trial) / "holdout.npz")
        labelled = np.array([labels[i] for i in stored.images])
        assert float((stored.probabilities.argmax(1) == labelled).mean()) == trial.score("hits")
        assert (search.trial_folder(trial) / "test.npz").exists() == (trial.state == "finished")
        kept = list(search.trial_folder(trial).glob("checkpoint-*"))
        assert len(kept) == (1 if trial.state == "finished" else 0)


def trained_alone(
    folder: Path, config: dict[str, Any], store: Path, folds: Path, classes: tuple[str, ...]
) -> list[dict[str, float]]:
    """Metrics of every epoch of a training with the team's parts, network and metric."""
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    load_parts(["own_parts"])
    team = importlib.import_module("team")
    context = TrainingContext(
        store=ImageStore(store),
        folds=Folds.read(folds),
        classes=classes,
        metric=custom_metric("hits", "maximize", team.hits),
        own={"team:net": team.net},
        predict_test=False,
    )
    epochs = fit(TrialConfig.from_json(config), context, Path("alone"))
    return [epoch.report["metrics"] for epoch in epochs]


def test_a_warm_worker_computes_what_another_process_does(folder: Path, search: Search) -> None:
    """The last confirmation ran in a reused worker; a training alone gives the same bits."""
    trial = search.of("confirm")[-1]
    stores = (folder / "runs/digits/store").glob("*.json")
    (store,) = (p for p in stores if ImageStore(p).side == trial.config.data.store_side)
    given = (folder, trial.config.to_json(), store, search.folds_file, search.opened.classes)
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as fork:
        found = fork.submit(trained_alone, *given).result()
    assert found == [e.metrics for e in trial.epochs]


def test_mlflow_holds_what_the_ledger_holds(folder: Path, search: Search) -> None:
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    runs = {
        r.data.tags[ID_TAG]: r
        for r in client.search_runs([experiment.experiment_id], max_results=1000)
    }
    parent = runs["digits/first"]
    assert set(runs) == {"digits/first", *(f"digits/{t}" for t in search.trials)}
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["state"] == "finished"
    assert parent.inputs is not None
    assert parent.inputs.dataset_inputs[0].dataset.digest == search.opened.data.digest
    names = {f.path for f in client.list_artifacts(parent.info.run_id)}
    assert names == {"space.json", "report.txt", "learning_curves.png"}
    for trial in search.trials.values():
        child = runs[f"digits/{trial.id}"]
        assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert child.data.tags["state"] == trial.state
        assert child.data.params["lr"] == str(trial.config.optimizer.lr)
        assert child.data.params["size"] == "32x32"
        assert child.info.start_time == int(trial.started * 1000)
        for name in ("val/hits", "train/loss", "seconds/transfer", "seconds/wait"):
            history = client.get_metric_history(child.info.run_id, name)
            assert [m.step for m in sorted(history, key=lambda m: m.step)] == list(
                range(1, trial.epoch + 1)
            )
        for name in ("train/hits", "gap/hits"):
            at_the_end = client.get_metric_history(child.info.run_id, name)
            assert len(at_the_end) == (trial.state == "finished")
        last = client.get_metric_history(child.info.run_id, "val/hits")
        assert max(last, key=lambda m: m.step).value == trial.score("hits")
        files = {f.path for f in client.list_artifacts(child.info.run_id)}
        assert {"policy.json", "policy.txt"} <= files
        assert ("confusion_matrix.svg" in files) == (trial.state == "finished")


def test_a_second_reading_adds_nothing(folder: Path, search: Search) -> None:
    uri = f"sqlite:///{folder}/mlflow.db"
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None

    def count() -> tuple[int, int]:
        runs = client.search_runs([experiment.experiment_id], max_results=1000)
        return len(runs), sum(
            len(client.get_metric_history(r.info.run_id, "val/hits")) for r in runs
        )

    before = count()
    Tracker(search.folder, uri).catch_up()
    assert count() == before


def test_mlflow_can_be_deleted_and_rebuilt(folder: Path, search: Search) -> None:
    done = run(folder, "sync", "first", "tracking=sqlite:///rebuilt.db")
    assert done.returncode == 0, done.stderr
    client = MlflowClient(f"sqlite:///{folder}/rebuilt.db")
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    assert len(client.search_runs([experiment.experiment_id])) == 1 + len(search.trials)


def test_show(folder: Path, search: Search) -> None:
    everything = run(folder, "show")
    assert "digits/first" in everything.stdout
    page = run(folder, "show", "first")
    assert page.returncode == 0
    assert all(f"-{t.number:03d}" in page.stdout for t in search.trials.values())
    trial = run(folder, "show", "first-001", "json=true")
    assert json.loads(trial.stdout.splitlines()[-1])["id"] == "first-001"
    assert "val/hits" in trial.stdout
    assert "% computing, " in trial.stdout
    nameless = run(folder, "show", "json=true")
    assert nameless.returncode == 2
    assert "name a search or a trial" in nameless.stderr
    wrong = run(folder, "show", "frist")
    assert wrong.returncode == 2
    assert "did you mean first" in wrong.stderr


@pytest.mark.slow
def test_a_failing_trial_ends_alone(folder: Path) -> None:
    done = run(
        folder,
        "train",
        "loss=team:broken",
        "model=team:net",
        "epochs=1",
        "name=failing",
        "tracking=sqlite:///failing.db",
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (trial,) = Search.read(folder / "runs/digits/failing").trials.values()
    assert trial.state == "failed"
    assert trial.reason == "RuntimeError: this one was bound to fail"
    ended = raw_events(folder / "runs/digits/failing/ledger.jsonl")
    assert any("in loss" in e.get("traceback", "") for e in ended)


@pytest.mark.parametrize(
    "numbers",
    [(signal.SIGTERM,), pytest.param((signal.SIGINT, signal.SIGTERM), marks=pytest.mark.slow)],
)
def test_signals_end_it_cleanly(tmp_path: Path, numbers: tuple[signal.Signals, ...]) -> None:
    """Ctrl-C and SIGTERM, as terminals and schedulers send them: to all of a command's group."""
    make_before(tmp_path)
    started = {}
    for number in numbers:
        name = f"stopped-{len(numbers)}-{number.name}"
        arguments = (f"name={name}", "workers=1", "fix.size=16", "fix.batch=128")
        started[number] = subprocess.Popen(
            command("run", *arguments),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    for number in started:
        ledger = tmp_path / "runs/digits" / f"stopped-{len(numbers)}-{number.name}" / "ledger.jsonl"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if ledger.exists() and '"epoch"' in ledger.read_text():
                break
            time.sleep(0.2)
        driver = json.loads(ledger.with_suffix(".owner").read_text())["process"]
        os.killpg(os.getpgid(driver), number)
    for number, process in started.items():
        out, errors = process.communicate(timeout=90)
        assert process.returncode == 3, out + errors
        assert "Traceback" not in errors
        assert "stopped before its end" in out
        search = Search.read(tmp_path / "runs/digits" / f"stopped-{len(numbers)}-{number.name}")
        assert search.summary is not None
        assert search.summary.state == "interrupted"
        assert all(t.state != "running" for t in search.trials.values())


def test_bad_input_leaves_nothing_behind(folder: Path) -> None:
    before = set((folder / "runs").rglob("ledger.jsonl"))
    done = run(folder, "run", "resources.gpu=9")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "resources.gpu=9 per trial, and this machine has 0" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    with pytest.raises(InputError, match="no Ray cluster answers"):
        check_cluster("127.0.0.1:1")
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.MonkeyPatch.context() as patch:
        patch.setattr(cluster_answer, "PATIENCE", 0.5)
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        done = run(folder, "train", "runs=other", f"cluster.address={address}")
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"cluster.address={address}: no Ray cluster answers" in done.stderr
    assert not (folder / "other").exists()
    assert set((folder / "runs").rglob("ledger.jsonl")) == before


def test_help_is_quick_and_a_used_port_is_told(folder: Path) -> None:
    begun = time.monotonic()
    for name in ("run", "train", "show", "ui", "sync"):
        done = run_process(folder, name, "--help")
        assert done.returncode == 0
        assert f"python -m search.{name}" in done.stdout
    assert time.monotonic() - begun < 30
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run(folder, "ui", f"port={port}")
        assert done.returncode == 2
        assert f"port={port}" in done.stderr
