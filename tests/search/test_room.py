"""How much room trials need is learnt from what others have written, ended or not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from results.records.ledger import Ledger
from results.records.trials import Search
from search.execution import driver as driver_module
from search.execution.disk_space import MIB, Room
from search.execution.driver import Driver
from search.planning.planned import Planned
from spaces.trial_config import TrialConfig
from tests.records import opening_event

CONFIG = TrialConfig.of(epochs=1, warmup_epochs=0)


class Disk:
    """Says how much is free."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, mib: float) -> None:
        self.mib = mib
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: self)

    @property
    def free(self) -> float:
        return self.mib * MIB


def write(folder: Path, trial: str, name: str) -> None:
    """A file of 2 MiB."""
    (folder / "trials" / trial).mkdir(parents=True, exist_ok=True)
    (folder / "trials" / trial / name).write_bytes(bytes(2 * MIB))


def test_one_more_trial_has_to_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room, disk = Room(tmp_path), Disk(monkeypatch, 1.5)
    assert room.shortage(["t-000"]) == ""  # it has written nothing yet
    write(tmp_path, "t-000", "checkpoint-00001")
    write(tmp_path, "t-000", ".checkpoint-00002")  # being written: it counts once it is whole
    disk.mib = 3.9
    assert room.shortage(["t-000"]) == "4 MiB left, 4 MiB needed"  # 3 for the next, 1 for this one
    disk.mib = 4.1
    assert room.shortage(["t-000"]) == ""
    disk.mib = 3.1
    assert room.shortage([]) == ""  # nothing runs: one trial has to fit, whatever the slots
    disk.mib = 2.9
    assert room.shortage([]) != ""


def test_running_trials_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_module, "ROOM_PERIOD", 0.0)
    disk = Disk(monkeypatch, 3.5)
    driver = Driver(Ledger(tmp_path / "ledger.jsonl"), Search(folder=tmp_path))
    driver.record(opening_event("j", CONFIG))
    driver.begin(Planned(id="j-000", number=0, why="sampled", config=CONFIG))
    driver.watch_room()
    assert not driver.paused
    write(tmp_path, "j-000", "checkpoint-00001")
    driver.watch_room()
    assert "4 MiB needed" in driver.paused
    disk.mib = 4.5
    driver.watch_room()
    assert not driver.paused
