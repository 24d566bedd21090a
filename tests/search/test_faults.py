"""A failure belongs to its trial: real trainers that fail, hang and die, beside healthy ones."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

import psutil
import pytest

from results.records.events import EVENTS
from results.records.ledger import Ledger, replay
from results.records.trial import Trial
from results.records.trials import Search
from search.execution.driver import Driver
from search.execution.engine import ray_session, run_trials
from search.execution.nodes import Nodes
from search.execution.watchdog import heartbeats_folder
from search.jobs.job import Job
from search.jobs.lifecycle import kept
from search.options.groups import ClusterConfig
from search.options.resources import ResourcesConfig
from search.planning.planned import Planned, interrupted
from spaces.trial_config import TrialConfig
from tests.faulty import FAULTS, smoothing
from tests.records import opening_event, raw_events
from trainables.data.contest import Contest
from trainables.data.folds import Folds
from trainables.data.image_store import ImageStore

PATIENCE = 10.0
"""Seconds of the watchdog: more than a first epoch's slowest batch takes here."""


@dataclass
class EachFault:
    """One trial per kind of fault."""

    search: Search
    config: TrialConfig
    faults: tuple[str, ...]

    def next(self) -> Planned | None:
        waiting = interrupted(self.search)
        number = len(self.search.trials)
        if waiting is not None or number == len(self.faults):
            return waiting
        config = self.config.replace(label_smoothing=smoothing(self.faults[number]))
        return Planned(id=f"f-{self.faults[number]}", number=number, why="single", config=config)

    @property
    def done(self) -> bool:
        return len(self.search.trials) == len(self.faults) and interrupted(self.search) is None

    def expected(self) -> int:
        return len(self.faults)


QUICK = ("none", "nan", "exception", "memory", "hang", "loader")
"""One fault of each consequence; every process that dies costs seconds of imports."""


@pytest.fixture(
    scope="module",
    params=[QUICK, pytest.param(FAULTS, marks=pytest.mark.slow)],
    ids=["some", "all"],
)
def trials(
    request: pytest.FixtureRequest,
    contest: Contest,
    store: ImageStore,
    folds: Folds,
    small: TrialConfig,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Trial]:
    """How a job ended of whose trials all but one fail, each in its own way."""
    folder = tmp_path_factory.mktemp("faults")
    (folder / "seen").mkdir()
    job = Job(
        competition="digits",
        name="f",
        folder=str(folder),
        store=str(store.path),
        local_store="",
        folds=str(folds.write(folder)),
        corrections="",
        focus="",
        extra="",
        teachers=(),
        classes=contest.classes,
        metric="macro_f1",
        direction="maximize",
        task="classification",
        model="tests.tiny:build",
        parts=(),
        loss="tests.faulty:loss",
        predict_test=False,
        stress="",
        truth="",
        objective="metric",
        threads=1,
        loader_workers=1,
    )
    ledger = Ledger(folder / "ledger.jsonl")
    search = Search(folder=folder)
    driver = Driver(ledger, search)
    driver.record(opening_event("f", metric="macro_f1"))
    config = small.replace(model="tests.tiny:build", loss="tests.faulty:loss", epochs=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAULTS_SEEN", str(folder / "seen"))
        patch.setenv("HOME", str(folder / "home"))
        with (
            ray_session(ClusterConfig(), ResourcesConfig(cpu=0.5)),
            kept(Nodes(folder, PATIENCE, False, lambda found: 2)),
        ):
            plan = EachFault(search, config, request.param)
            driver.slots = 2
            for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
                for connection in process.net_connections("inet"):
                    if connection.status == psutil.CONN_LISTEN:
                        assert connection.laddr.ip.removeprefix("::ffff:") == "127.0.0.1"
            run_trials(plan, driver, job, resources={"CPU": 0.5})
    ledger.close()
    assert not driver.stopping
    assert not (folder / "home/.ray").exists()  # no token is left anywhere
    events = raw_events(folder / "ledger.jsonl")
    epochs = Counter((e["trial"], e["report"]["epoch"]) for e in events if e["event"] == "epoch")
    assert set(epochs.values()) == {1}
    for event in events:
        if event["event"] == "trial_ended" and event["state"] != "finished":
            assert event["reason"]
            assert event["traceback"] or event["fault"] == "hang"
    again = Search(folder=folder)
    replay(folder / "ledger.jsonl", EVENTS, again.apply)
    assert again.trials == search.trials
    return {t.id.removeprefix("f-"): t for t in again.trials.values()}


WRONG = {
    "nan": "TrainingError: the training loss is nan in epoch 2",
    "inf": "TrainingError: the training loss is nan in epoch 2",  # after one step with inf
    "exception": "ValueError: a mistake in the loss",
}


def test_a_trial_that_is_wrong_fails(trials: dict[str, Trial]) -> None:
    assert {"nan", "exception"} <= trials.keys()
    for fault in WRONG.keys() & trials.keys():
        trial = trials[fault]
        assert (trial.state, trial.epoch, trial.attempts) == ("failed", 1, 1)
        assert trial.reason.startswith(WRONG[fault])


AT_FAULT = {
    "hang": "hang",
    "stop": "hang",
    "exit": "death",
    "device": "device",
    "loader": "death",
}


def test_a_trial_whose_process_is_at_fault_goes_on(trials: dict[str, Trial]) -> None:
    assert {"hang", "loader"} <= trials.keys()
    healthy = trials["none"]
    assert (healthy.state, healthy.attempts, healthy.faults) == ("finished", 1, ())
    for fault in AT_FAULT.keys() & trials.keys():
        trial = trials[fault]
        assert (trial.state, trial.epoch, trial.attempts) == ("finished", 2, 2)
        assert trial.faults == (AT_FAULT[fault],)
        # The smoothing only names the fault: what was computed is the same.
        metrics = [[e.metrics for e in t.epochs] for t in (trial, healthy)]
        assert metrics[0] == metrics[1]


def test_out_of_memory_goes_on_with_half_the_micro_batch(trials: dict[str, Trial]) -> None:
    trial = trials["memory"]
    assert (trial.state, trial.epoch, trial.faults) == ("finished", 2, ("memory",))
    assert trial.asked.run.micro_batch == 64
    assert (trial.config.run.micro_batch, trial.config.run.accumulation) == (16, 2)
    assert trial.epochs[0].metrics == trials["none"].epochs[0].metrics


def test_no_heartbeat_is_left(trials: dict[str, Trial]) -> None:
    left = [json.loads(p.read_text()) for p in heartbeats_folder().glob("*.json")]
    assert not [known for known in left if "/f-" in known["trial"]]
