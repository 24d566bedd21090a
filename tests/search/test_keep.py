"""Which checkpoints stay; and what a full disk does."""

from __future__ import annotations

from pathlib import Path

import pytest

from results.records.ledger import Ledger
from results.records.trials import Search
from search.execution import driver as driver_module
from search.execution.driver import Driver
from search.jobs.retention import tidy
from search.planning.planned import Planned
from spaces.trial_config import TrialConfig
from tests.faults.storage import can_mount, fill, mounted
from tests.records import ended, job_event, opening_event, raw_events, started

CONFIG = TrialConfig.of(epochs=1, warmup_epochs=0)
KINDS = ("baseline", "sampled", "sampled", "sampled", "confirm")
SCORES = (0.5, 0.9, 0.7, 0.8, 0.9)


def job(folder: Path, keep: str) -> list[int]:
    """Numbers of the trials whose checkpoint stays after a job of five."""
    ledger = Ledger(folder / "ledger.jsonl")
    search = Search(folder=folder)
    driver = Driver(ledger, search)
    driver.record(opening_event("j", CONFIG))
    driver.on_end([lambda trial: tidy(search, trial, keep)])
    for number, (why, score) in enumerate(zip(KINDS, SCORES, strict=True)):
        name = f"j-{number:03d}"
        config = CONFIG.replace(seed=number)
        driver.begin(Planned(id=name, number=number, why=why, config=config))  # type: ignore[arg-type]
        (folder / "trials" / name).mkdir(parents=True)
        (folder / "trials" / name / "checkpoint-00001-d1.safetensors").touch()
        (folder / "trials" / name / "holdout.npz").touch()
        report = {"epoch": 1, "metrics": {"val/accuracy": score}, "seconds": {"total": 1.0}}
        driver.report(name, {"epoch": 1, "reports": [report]})
        driver.complete(name)
    ledger.close()
    trials = sorted((folder / "trials").iterdir())
    assert all((t / "holdout.npz").exists() for t in trials)
    return [i for i, t in enumerate(trials) if list(t.glob("checkpoint-*"))]


@pytest.mark.parametrize(
    ("keep", "stay"),
    [("all", [0, 1, 2, 3, 4]), ("none", []), ("1", [0, 1]), ("2", [0, 1, 3]), ("9", [0, 1, 2, 3])],
)
def test_final_checkpoints_that_stay(tmp_path: Path, keep: str, stay: list[int]) -> None:
    assert job(tmp_path, keep) == stay


@pytest.mark.parametrize(
    ("finishing", "stay"),
    [(1, [[0], [0, 1], [2], [2], [2, 4]]), (2, [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3], [2, 4]])],
)
def test_a_stopped_trial_s_checkpoint_stays_until_enough_run_to_their_end(
    tmp_path: Path, finishing: int, stay: list[list[int]]
) -> None:
    """If they do not, the best of those that were stopped go on from it."""
    search = Search(folder=tmp_path)
    search.apply(opening_event("j", CONFIG))
    held = []
    for number, state in enumerate(("stopped", "stopped", "finished", "stopped", "finished")):
        name = f"j-{number:03d}"
        (tmp_path / "trials" / name).mkdir(parents=True)
        (tmp_path / "trials" / name / "checkpoint-00001-d1.safetensors").touch()
        search.apply(started(name, CONFIG))
        search.apply(ended(name, state))
        tidy(search, search.trials[name], "all", finishing)
        trials = sorted((tmp_path / "trials").iterdir())
        held.append([i for i, t in enumerate(trials) if list(t.glob("checkpoint-*"))])
    assert held == stay


@pytest.mark.skipif(not can_mount(Path("/tmp/holdfold-probe")), reason="needs the right to mount")
def test_a_full_disk_lets_trials_wait_and_loses_no_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver_module, "ROOM_PERIOD", 0.0)
    with mounted(tmp_path / "disk", 3) as disk:
        ledger = Ledger(disk / "ledger.jsonl")
        driver = Driver(ledger, Search(folder=disk))
        driver.record(opening_event("j", CONFIG))
        driver.commit()
        driver.watch_room()
        assert not driver.paused
        filler = disk / "filler"
        fill(filler)
        for number in range(100):
            driver.record(job_event("note", trial="j-000", words=f"{number} " + "x" * 200))
            driver.commit()
        driver.watch_room()
        assert "0 MiB left, 1 MiB needed" in driver.paused
        assert len(driver.news) == 1
        assert "the disk is nearly full" in driver.news[0]
        assert len(raw_events(disk / "ledger.jsonl")) <= 20  # what fitted into the last block
        filler.unlink()
        driver.watch_room()
        assert driver.paused  # the ledger has not been written yet: a quota may be full
        driver.turn()
        assert (driver.paused, driver.news[-1]) == ("", "there is room again: trials go on")
        driver.drain(print)
        assert len(raw_events(disk / "ledger.jsonl")) == 101
        ledger.close()
