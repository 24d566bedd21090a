"""Searches on a GPU: trials that share it, a context that breaks, a trial that does not fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from results.records.trials import Search
from tests.commands import run_process

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"),
]

ROOT = Path(__file__).parents[2]
SMALL = ("fix.size=32", "trials=3", "epochs=2", "confirm=0", "predict.test=false")


def searched(folder: Path, *words: str) -> tuple[Search, str]:
    """What a search recorded, and what it printed."""
    done = run_process(folder, "run", *SMALL, "json=true", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    made = json.loads(done.stdout.splitlines()[-1])
    return Search.read(Path(made["path"])), done.stdout


def test_trials_share_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=":")
    search, said = searched(tmp_path, "resources.gpu=0.5", "resources.cpu=1", "workers=2")
    assert {trial.state for trial in search.trials.values()} == {"finished"}
    assert "trials at a time: 2, with 1 CPU, 0.5 GPU each" in said


def test_a_broken_context_ends_one_attempt_of_its_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=":")
    monkeypatch.setenv("BROKEN_ONCE", str(tmp_path / "broken"))
    search, said = searched(tmp_path, "resources.gpu=0.5", "model=tests.gpu.broken:build")
    assert {trial.state for trial in search.trials.values()} == {"finished"}
    assert [fault for trial in search.trials.values() for fault in trial.faults] == ["device"]
    assert "device-side assert" in said
    assert sum(trial.attempts for trial in search.trials.values()) == len(search.trials) + 1
    for trial in search.trials.values():
        assert [epoch.epoch for epoch in trial.epochs] == [1, 2]


def test_a_trial_that_does_not_fit_goes_on_with_half_of_each_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=":")
    fixed = ("model=tests.gpu.greedy:build", "fix.batch=32")
    search, said = searched(tmp_path, "resources.gpu=0.5", *fixed)
    assert {trial.state for trial in search.trials.values()} == {"finished"}
    for trial in search.trials.values():
        assert list(trial.faults) == ["memory"]
        assert [epoch.epoch for epoch in trial.epochs] == [1, 2]
    assert "micro_batch=16" in said
