"""Who writes a record, on this machine or another."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path

import pytest

from results.records.lock import STALE, WriterLock
from spaces.errors import InputError


def owned_elsewhere(path: Path, silent: float) -> None:
    """As a writer on another machine, of which nothing was heard for so long, leaves it."""
    owner = path.with_suffix(".owner")
    known = {"user": "anna", "host": "node7", "process": 12, "since": "2026-11-21 10:00:00"}
    owner.write_text(json.dumps(known))
    os.utime(owner, (time.time() - silent, time.time() - silent))


def test_the_writer_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    first = WriterLock(path)
    first.acquire(0)
    with pytest.raises(InputError) as refused:
        WriterLock(path).acquire(0)
    words = str(refused.value)
    assert f"on {socket.gethostname()}, process {os.getpid()}, since " in words
    first.release()
    assert not list(tmp_path.iterdir())  # nothing was recorded
    path.touch()
    second = WriterLock(path)
    second.acquire(0)
    second.release()
    assert {p.name for p in tmp_path.iterdir()} == {"ledger.jsonl", "ledger.lock"}


def test_a_writer_on_another_machine_counts_until_it_is_silent(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    owned_elsewhere(path, STALE / 2)
    with pytest.raises(InputError, match="on another machine: anna on node7, process 12"):
        WriterLock(path).acquire(0)
    owned_elsewhere(path, STALE + 5)
    lock = WriterLock(path)
    lock.acquire(0)
    assert json.loads(path.with_suffix(".owner").read_text())["host"] == socket.gethostname()
    lock.release()


def test_a_stale_owner_of_this_machine_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    known = {"user": "me", "host": socket.gethostname(), "process": 1, "since": "now"}
    path.with_suffix(".owner").write_text(json.dumps(known))
    lock = WriterLock(path)
    lock.acquire(0)
    assert json.loads(path.with_suffix(".owner").read_text())["process"] == os.getpid()
    lock.release()


def test_an_owner_is_heard_of_as_long_as_it_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("results.records.lock.RENEWED", 0.05)
    path = tmp_path / "ledger.jsonl"
    lock = WriterLock(path)
    lock.acquire(0)
    os.utime(path.with_suffix(".owner"), (1, 1))
    until = time.monotonic() + 10
    while path.with_suffix(".owner").stat().st_mtime == 1 and time.monotonic() < until:
        time.sleep(0.02)
    assert time.time() - path.with_suffix(".owner").stat().st_mtime < 10
    lock.release()
    assert not path.with_suffix(".owner").exists()


def test_somebody_else_s_claim_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    lock = WriterLock(path)
    lock.acquire(0)
    owned_elsewhere(path, 0)
    lock.release()
    assert json.loads(path.with_suffix(".owner").read_text())["host"] == "node7"
