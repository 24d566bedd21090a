"""Resuming: the ledger is replayed, nothing finished runs again, and changes are refused."""

from __future__ import annotations

import contextlib
import importlib
import io
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from dataclasses import make_dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mlflow.tracking import MlflowClient

from results.records.events import EVENTS
from results.records.ledger import Ledger, read_ledger
from results.records.trials import Search
from results.tracking.store import ID_TAG
from search.execution import driver as driver_module
from search.execution.driver import CLOSING_TIME, Driver
from search.execution.exit_note import ExitNote
from search.execution.faults import fault_of
from search.execution.retries import RETRIES
from search.execution.tune_adapter import Proposals
from search.options.command_line import main
from search.options.recorded import recorded_options
from search.options.training import RunConfig, TrainConfig
from search.planning.asha import Asha
from search.planning.early_stopping import SCORE, SCORES
from search.planning.planned import Planned
from search.planning.sampler import Sampler
from search.planning.search_plan import SearchPlan
from spaces.ready import ready_space
from spaces.trial_config import TrialConfig
from tests.commands import make_before, run
from tests.records import opening_event, raw_events

ASSETS = Path(__file__).parent.parent / "assets/search"


def partly(events: int) -> Search:
    """The search of the golden file after so many events."""
    search = Search(folder=ASSETS)
    for event in itertools.islice(read_ledger(ASSETS / "ledger.jsonl", EVENTS), events):
        search.apply(event)
    return search


def asha() -> Asha:
    return Asha(epochs=12, grace=3, reduction=3)


def test_replayed_rungs_decide_what_was_decided_then() -> None:
    """Every trial that was stopped is stopped by the replay, at its last epoch, and no other."""
    search = Search.read(ASSETS)
    scheduler = asha()
    decided = scheduler.replay(search)
    assert decided == {t.id for t in search.of("sampled") if t.state == "stopped"}
    assert decided
    for milestone, recorded in scheduler.rungs.items():
        reached = {t.id for t in search.of("sampled") if t.epoch >= milestone}
        assert set(recorded) == reached
        for trial in recorded:
            epochs = search.trials[trial].epochs
            report = next(e for e in epochs if e.epoch >= milestone)
            assert recorded[trial] == report.metrics["val/macro_f1"]


def test_a_replay_in_two_parts_is_a_replay() -> None:
    """What a search does after a restart equals what it would have done without one."""
    whole, search = asha(), Search.read(ASSETS)
    whole.replay(search)
    for cut in (30, 60, 100):
        scheduler = asha()
        scheduler.replay(partly(cut))
        known = len(partly(cut).reports)
        for trial_id, report in search.reports[known:]:
            trial = search.trials[trial_id]
            live = type("Live", (), {"config": {"why": trial.why, "trial": trial_id}})()
            if report.epoch == 1:
                scheduler.on_trial_add(None, live)
            done = report.epoch >= trial.config.run.epochs
            score = report.metrics["val/macro_f1"]
            scores = [(report.epoch, score)]
            result = {"epoch": report.epoch, SCORE: score, SCORES: scores, "done": done}
            if done:
                scheduler.on_trial_complete(None, live, result)
            else:
                scheduler.on_trial_result(None, live, result)
        assert scheduler.rungs == whole.rungs


def test_the_sampler_knows_the_record_and_draws_something_new() -> None:
    search = Search.read(ASSETS)
    space = ready_space("aug_policy")

    def sampler(history: Search) -> Sampler:
        trials = list(history.trials.values())
        return Sampler(space, "val/macro_f1", "maximize", 0, 5, trials)

    resumed = sampler(search)
    told = Counter(t.state.name for t in resumed.study.trials)
    states = Counter(t.state for t in search.of("sampled"))
    assert told == {"COMPLETE": states["finished"], "PRUNED": states["stopped"]}
    for known, trial in zip(resumed.study.trials, search.of("sampled"), strict=True):
        assert known.params == trial.params
        assert len(known.intermediate_values) == trial.epoch
        if trial.state == "finished":
            assert known.value == trial.score("macro_f1")
    # In the random phase, too, nothing is drawn a second time.
    early = partly(24)
    drawn = [t.params for t in early.of("sampled")]
    fresh = sampler(early)
    assert fresh.ask("a") not in drawn
    running = [t for t in fresh.study.trials if t.state.name == "RUNNING"]
    assert len(running) == 1 + sum(t.state == "running" for t in early.of("sampled"))


def test_interrupted_trials_go_first_and_lost_ones_are_given_up(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    search = Search(folder=tmp_path, opened=opening_event("s"))
    driver = Driver(ledger, search)
    config = TrialConfig.of(epochs=4)
    sampler = Sampler(ready_space("aug_policy"), "val/accuracy", "maximize", 0, 5)
    plan = SearchPlan(
        search=search, sampler=sampler, baseline=config, trials=0, confirm=0, unsettled=set
    )
    for attempt in range(1, RETRIES["death"] + 2):
        planned = plan.next()
        assert planned is not None
        assert planned.id == "s-000"
        assert not plan.done or attempt == 1
        driver.begin(planned)
        assert plan.next() is None
        assert search.trials["s-000"].attempts == attempt
        driver.lost("s-000", "Traceback\nkilled")
    assert search.trials["s-000"].state == "failed"
    assert "the worker process died: killed" in search.trials["s-000"].reason
    assert plan.next() is None
    driver.commit()
    kinds = Counter(e["event"] for e in raw_events(tmp_path / "ledger.jsonl"))
    assert kinds == {"trial_started": 1, "trial_resumed": 2, "trial_ended": 3}
    ledger.close()


def test_a_driver_stops_before_its_deadline(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    search = Search(folder=tmp_path, opened=opening_event("s"))
    planned = Planned(id="s-000", number=0, why="single", config=TrialConfig.of(epochs=4))
    driver = Driver(ledger, search, time.monotonic() + CLOSING_TIME + 60)
    assert driver.in_time(planned)
    driver.begin(planned)
    report = {"epoch": 1, "metrics": {}, "seconds": {"total": 90.0}}
    driver.report("s-000", {"epoch": 1, "reports": [report]})
    assert not driver.in_time(planned)  # an epoch takes longer than there is time
    rung = Driver(ledger, search, time.monotonic() + CLOSING_TIME + 300)
    rung.grace = 4
    sampled = Planned(id="s-001", number=1, why="sampled", config=TrialConfig.of(epochs=8))
    assert rung.in_time(planned)
    assert not rung.in_time(sampled)  # four epochs of 90 s do
    rung.grace = 3
    assert rung.in_time(sampled)
    driver.watch_deadline()
    assert not driver.stopping
    late = Driver(ledger, search, time.monotonic() + CLOSING_TIME - 1)
    late.watch_deadline()
    assert late.stopping == "the deadline"
    late.complete("s-000")
    assert search.trials["s-000"].state == "interrupted"
    ledger.close()


def test_a_job_stops_when_more_than_half_of_the_last_ten_trials_failed(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    search = Search(folder=tmp_path, opened=opening_event("s"))
    driver = Driver(ledger, search)
    for i in range(14):
        assert not driver.stopping, i
        config = TrialConfig.of(epochs=1, warmup_epochs=0, seed=i)
        planned = Planned(id=f"s-{i:03d}", number=i, why="sampled", config=config)
        driver.begin(planned)
        if i % 2 and i < 12:  # every second one succeeds, which is half
            report = {"epoch": 1, "metrics": {}, "seconds": {"total": 1.0}}
            driver.report(planned.id, {"epoch": 1, "reports": [report]})
            driver.complete(planned.id)
        else:
            failed = {"epoch": 1, "failed": "RuntimeError: broken", "traceback": ""}
            driver.report(planned.id, failed)
    assert driver.stopping == "6 of the last 10 trials failed, the last: RuntimeError: broken"
    ledger.close()


@pytest.mark.parametrize("kind", ["hang", "device", "death", "memory"])
def test_faults_that_come_again_and_again_stop_a_job(tmp_path: Path, kind: str) -> None:
    """Retries do not dilute failures: a broken GPU does not burn the night."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    search = Search(folder=tmp_path, opened=opening_event("s"))
    driver = Driver(ledger, search)
    for i in range(10):
        config = TrialConfig.of(epochs=1, warmup_epochs=0, seed=i)
        planned = Planned(id=f"s-{i:03d}", number=i, why="sampled", config=config)
        while search.trials.get(planned.id) is None or (
            search.trials[planned.id].state == "interrupted"
        ):
            assert driver.begin(planned)
            driver.fault(planned.id, kind, "", "")
        assert search.trials[planned.id].state == "failed"
        assert len(search.trials[planned.id].faults) == RETRIES[kind] + 1
        if driver.stopping:
            break
    advice = (
        "out of memory with 32 images of 224x224 at once, of which fix.micro_batch= sets fewer, "
        "fix.size= smaller ones; "
    )
    last = f"{advice if kind == 'memory' else ''}no reason given"
    assert driver.stopping == f"6 of the last 6 trials failed, the last: {last}"
    assert driver.news[-1] == f"{planned.id}: {last}"
    ledger.close()


def test_what_a_worker_died_of(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    search = Search(folder=tmp_path, opened=opening_event("s"))
    driver = Driver(ledger, search)
    config = TrialConfig.of(epochs=1, warmup_epochs=0)
    driver.begin(Planned(id="s-000", number=0, why="sampled", config=config))
    driver.lost("s-000", "")
    assert search.trials["s-000"].reason == "the worker process died: no reason given"
    driver.begin(Planned(id="s-000", number=0, why="sampled", config=config))
    ExitNote(fault="hang", reason="silent").write(tmp_path / "trials/s-000")
    driver.lost("s-000", "Ray's words")
    assert list(search.trials["s-000"].faults) == ["death", "hang"]
    driver.begin(Planned(id="s-000", number=0, why="sampled", config=config))
    driver.lost("s-000", "Task was killed due to the node running low on memory.")
    assert list(search.trials["s-000"].faults) == ["death", "hang", "memory"]
    assert search.trials["s-000"].config.run.micro_batch == 32
    ledger.close()


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "memory"),
        (MemoryError(), "memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "memory"),
        (RuntimeError("CUDA error: out of memory"), "memory"),
        (RuntimeError("CUDA error: device-side assert triggered"), "device"),
        (RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed."), "death"),
        (RuntimeError("Caught RuntimeError in DataLoader worker process 0."), ""),
        (ValueError("a mistake"), ""),
    ],
)
def test_what_an_exception_stands_for(error: Exception, fault: str) -> None:
    assert fault_of(error) == fault


def test_epochs_that_the_record_lacked_enter_the_rungs_as_in_a_replay() -> None:
    """A checkpoint may be ahead of the ledger: its reports come with the first result."""
    curves = {"a": [0.1, 0.5, 0.9, 0.2], "b": [0.2, 0.3, 0.4, 0.5], "c": [0.3, 0.1, 0.2, 0.6]}
    whole, jumping = (Asha(epochs=9, grace=1, reduction=2) for _ in range(2))
    for name, scores in curves.items():
        trial = SimpleNamespace(config={"trial": name, "why": "sampled"})
        pairs = list(enumerate(scores, start=1))
        for asha in (whole, jumping):
            asha.on_trial_add(None, trial)
        for epoch, score in pairs:
            whole.on_trial_result(None, trial, {"epoch": epoch, SCORE: score, SCORES: [pairs[0]]})
        jumping.on_trial_result(None, trial, {"epoch": 4, SCORE: scores[-1], SCORES: pairs})
    assert whole.rungs == jumping.rungs
    assert whole.rungs[2] == {"a": 0.5, "b": 0.3, "c": 0.1}


def test_epochs_that_are_trained_again_are_reported_once(tmp_path: Path) -> None:
    """A checkpoint may be behind the ledger, which keeps an epoch's first report."""
    driver = Driver(Ledger(tmp_path / "ledger.jsonl"), Search(folder=tmp_path))
    driver.record(opening_event("s"))
    config = TrialConfig.of(backbone="test_resnet", size=(32, 32), epochs=4, warmup_epochs=0)
    driver.begin(Planned(id="s-000", number=0, why="sampled", params={}, config=config))

    def tell(epoch: int, score: float) -> None:
        metrics = {"val/macro_f1": score, "train/loss": 1.0}
        seconds = {"feed": 0.0, "compute": 1.0, "evaluate": 0.0, "total": 1.0}
        report = {"epoch": epoch, "metrics": metrics, "seconds": seconds, "images": 8}
        driver.report("s-000", {"reports": [report]})

    for epoch, score in ((1, 0.1), (2, 0.2), (3, 0.3), (2, 0.9), (3, 0.9), (4, 0.4)):
        tell(epoch, score)
    trial = driver.search.trials["s-000"]
    assert [(e.epoch, e.metrics["val/macro_f1"]) for e in trial.epochs] == [
        (1, 0.1),
        (2, 0.2),
        (3, 0.3),
        (4, 0.4),
    ]


def test_a_deadline_lets_those_that_run_use_the_time_that_is_left(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    search = Search(folder=tmp_path, opened=opening_event("s"))
    driver = Driver(ledger, search, time.monotonic() + CLOSING_TIME + 60)
    driver.slots = 2
    sampler = Sampler(ready_space("aug_policy"), "val/accuracy", "maximize", 0, 5)
    plan = SearchPlan(
        search=search,
        sampler=sampler,
        baseline=TrialConfig.of(epochs=4),
        trials=3,
        confirm=0,
        unsettled=set,
    )
    job: Any = make_dataclass("Job", [])()
    proposals = Proposals(plan, driver, job, lambda: None)
    first = proposals.suggest("1")
    assert first["trial"] == "s-000"
    report = {"epoch": 1, "metrics": {"val/accuracy": 0.5}, "seconds": {"total": 90.0}}
    driver.report("s-000", {"epoch": 1, "reports": [report]})
    for _ in range(2):
        assert proposals.suggest("2") is None  # no time for another
    assert driver.stopping == ""
    assert search.trials["s-000"].state == "running"
    driver.fault("s-000", "death", "gone", "")
    assert proposals.suggest("3") == Proposals.FINISHED
    assert str(driver.stopping) == "the deadline"
    ledger.close()


OPTIONS = (
    "trials=2",
    "epochs=3",
    "confirm=0",
    "scheduler.grace=3",
    "narrow.stage1.operation=[rotate,scale]",
    "fix.stages=1",
    "fix.mix=none",
    "fix.size=16",
    "fix.batch=128",
)


def kill_when(folder: Path, ledger: Path, ready: str, count: int, *command: str) -> None:
    """Starts a command and kills it, its whole session left behind, after so many events."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until = time.monotonic() + 120
        while time.monotonic() < until and process.poll() is None:
            with contextlib.suppress(OSError):
                if ledger.read_text().count(f'"event": "{ready}"') >= count:
                    break
            time.sleep(0.02)
        assert process.poll() is None, "it ended before it could be killed"
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose search was killed with -9 in the middle of its trials."""
    folder = tmp_path_factory.mktemp("killed")
    ledger = folder / "runs/digits/k/ledger.jsonl"
    command = ("search.run", "name=k", "workers=1", "quiet=true", *OPTIONS)
    make_before(folder)
    kill_when(folder, ledger, "epoch", 5, *command)
    return folder


def refused(folder: Path, command: str, *arguments: str) -> str:
    """Runs a command that is refused before it starts Ray; returns its message."""
    module = importlib.import_module(f"search.{command}")
    schema, kind = {"run": (RunConfig, "search"), "train": (TrainConfig, "train")}[command]
    err = io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stderr(err),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(sys, "argv", [command, *arguments])
        with pytest.raises(SystemExit) as ended:
            main(schema, module.run, "", recorded=recorded_options(kind))
    assert ended.value.code == 2
    return err.getvalue()


def test_what_has_changed_is_refused(killed: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(killed, copy)
    ledger = copy / "runs/digits/k/ledger.jsonl"
    before = ledger.read_bytes()
    for arguments, words in {
        ("resume=nowhere",): "unknown search",
        ("resume=k", "name=other"): "has its name",
        ("resume=k", "epochs=9"): "baseline epochs: 3 then, 9 now",
        ("resume=k", "narrow.stage1.operation=[scale]"): "space stage1.operation: {",
        (
            "resume=k",
            "fix.stages=2",
        ): "fix: {'stages': 1, 'mix': 'none', 'size': 16, 'batch': 128} then",
        ("resume=k", "scheduler.grace=2"): "scheduler: {'rule': 'asha', 'grace': 3",
        ("resume=k", "metric=accuracy"): "metric: macro_f1 then, accuracy now",
        ("resume=k", "holdout.seed=1"): "folds: digest",
        ("resume=k", "accept=[data]"): "unknown word",
    }.items():
        assert words in refused(copy, "run", *arguments)
        assert ledger.read_bytes() == before
    other = refused(copy, "train", "resume=k")
    assert "is a search: python -m search.run resume=k" in other
    events = [json.loads(line) for line in before.decode().splitlines()]
    events[0]["digests"]["code"] = "0" * 16
    events[0]["options"]["model"] = "planted:net"
    ledger.write_text("".join(json.dumps(e) + "\n" for e in events))
    (copy / "planted.py").write_text("open('planted', 'w')\ndef net(config, classes): ...\n")
    planted = refused(copy, "run", "resume=k")
    assert "was started with model=planted:net: say so on the command line" in planted
    assert not (copy / "planted").exists()
    events[0]["options"]["model"] = ""
    ledger.write_text("".join(json.dumps(e) + "\n" for e in events))
    assert "accept=[code] goes on" in refused(copy, "run", "resume=k")


def test_nothing_finished_runs_again_and_every_metric_is_there_once(killed: Path) -> None:
    before = Search.read(killed / "runs/digits/k")
    assert any(t.state == "running" for t in before.trials.values())
    started = {t.id for t in before.trials.values()}
    finished = {t.id for t in before.trials.values() if t.state == "finished"}
    assert finished
    with contextlib.closing(Ledger(killed / "runs/digits/k/ledger.jsonl")):
        twice = run(killed, "run", "resume=k")
    assert twice.returncode == 2
    assert "is being written by another process: " in twice.stderr
    assert f"on {socket.gethostname()}, process {os.getpid()}, since " in twice.stderr
    done = run(killed, "run", "resume=latest", "trials=3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "k goes on: " in done.stdout
    events = raw_events(killed / "runs/digits/k/ledger.jsonl")
    starts = Counter(e["trial"] for e in events if e["event"] == "trial_started")
    again = {e["trial"] for e in events if e["event"] == "trial_resumed"}
    assert set(starts.values()) == {1}
    assert again == started - finished
    epochs = Counter((e["trial"], e["report"]["epoch"]) for e in events if e["event"] == "epoch")
    assert set(epochs.values()) == {1}
    after = Search.read(killed / "runs/digits/k")
    assert after.opened.trials == 3
    assert [t.state for t in after.trials.values()] == ["finished"] * 4
    assert all(t.epoch == 3 for t in after.trials.values())
    for trial_id in finished:  # untouched
        assert after.trials[trial_id].epochs == before.trials[trial_id].epochs
    client = MlflowClient(f"sqlite:///{killed}/mlflow.db")
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    for trial in after.trials.values():
        (logged,) = client.search_runs(
            [experiment.experiment_id], f"tags.`{ID_TAG}` = 'digits/{trial.id}'"
        )
        assert logged.info.status == "FINISHED"
        history = client.get_metric_history(logged.info.run_id, "val/macro_f1")
        assert sorted(m.step for m in history) == [1, 2, 3]
    (parent,) = client.search_runs([experiment.experiment_id], f"tags.`{ID_TAG}` = 'digits/k'")
    assert parent.info.status == "FINISHED"


def test_epochs_wait_for_others_and_ends_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver_module, "TOGETHER", 3600.0)
    path = tmp_path / "ledger.jsonl"
    driver = Driver(Ledger(path), Search(folder=tmp_path))
    driver.record(opening_event("s"))
    driver.turn()
    config = TrialConfig.of(backbone="test_resnet", size=(32, 32), epochs=3, warmup_epochs=0)
    driver.begin(Planned(id="s-000", number=0, why="sampled", params={}, config=config))
    written = []
    for epoch in (1, 2):
        report = {"epoch": epoch, "metrics": {}, "seconds": {"total": 1.0}}
        driver.report("s-000", {"reports": [report]})
        driver.turn()
        written.append(len(raw_events(path)))
    driver.complete("s-000")
    driver.turn()
    assert written == [1, 1]
    kinds = [event["event"] for event in raw_events(path)]
    assert kinds == ["opened", "trial_started", "epoch", "epoch", "trial_ended"]
