"""Checkpoints by themselves; those of trainings are in test_fit."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from spaces.trial_config import TrialConfig
from trainables.training import saving
from trainables.training.checkpoint import Checkpoint, remove_leftovers

CONFIG = TrialConfig.of(epochs=9)


def checkpoint(epochs: int, config: TrialConfig = CONFIG, **states: object) -> Checkpoint:
    return Checkpoint(
        reports=tuple({"epoch": i + 1} for i in range(epochs)),
        config_digest=config.state_digest,
        states={"model": {"weight": torch.full((3,), float(epochs))}, **states},  # type: ignore[dict-item]
    )


def test_every_kind_of_state_comes_back(tmp_path: Path) -> None:
    tied = torch.randn(4, 3)
    state = {
        "odd": torch.tensor([True, False, True]),  # what follows begins anywhere
        "half": torch.randn(5).to(torch.bfloat16),
        "count": torch.tensor(7),
        "none": torch.empty(0, 3),
        "columns": tied.T,
        "tied": tied,
        "again": tied,
        "plain": [1, 2.5, None, "text", {"betas": (0.9, 0.99)}],
        3: {"keys": "may be numbers"},
    }
    checkpoint(1, state=state).write(tmp_path)
    found, notes = Checkpoint.newest(tmp_path, CONFIG)
    assert found is not None
    assert notes == ()
    assert found.states["state"].keys() == state.keys()
    for key, value in state.items():
        other = found.states["state"][key]
        if isinstance(value, torch.Tensor):
            assert other.dtype == value.dtype
            torch.testing.assert_close(other, value, rtol=0, atol=0)
        else:
            assert other == value


def test_the_last_two_stay(tmp_path: Path) -> None:
    for epochs in (1, 2, 3):
        checkpoint(epochs).write(tmp_path)
    assert [p.name[:16] for p in sorted(tmp_path.iterdir())] == [
        "checkpoint-00002",
        "checkpoint-00003",
    ]


def test_one_is_due_when_a_fifth_of_the_time_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing takes two seconds here, so the next one waits for eight of training."""
    clock = 100.0
    monkeypatch.setattr(saving, "TIMES_AS_LONG", 4)
    monkeypatch.setattr(saving, "time", SimpleNamespace(perf_counter=lambda: clock))
    write = Checkpoint.write

    def slow(self: Checkpoint, folder: Path) -> Path:
        nonlocal clock
        clock += 2
        return write(self, folder)

    monkeypatch.setattr(Checkpoint, "write", slow)
    ours = saving.Saving()
    assert ours.due
    ours.write(checkpoint(1), tmp_path, lambda: None)
    due = []
    for _ in range(9):
        clock += 1
        due.append(ours.due)
    assert due == [False] * 7 + [True] * 2


def test_a_training_that_starts_anew_keeps_its_own(tmp_path: Path) -> None:
    """Later ones of another configuration must not push its first one out."""
    for epochs in (4, 5):
        checkpoint(epochs, CONFIG.replace(lr=1e-5)).write(tmp_path)
    found, notes = Checkpoint.newest(tmp_path, CONFIG)
    assert found is None
    assert len(notes) == 3
    checkpoint(1).write(tmp_path)
    found, notes = Checkpoint.newest(tmp_path, CONFIG)
    assert found is not None
    assert (found.epoch, notes) == (1, ())


def test_a_write_that_fails_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint(1).write(tmp_path)

    def full(path: Path) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr("trainables.training.checkpoint._sync", full)
    with pytest.raises(OSError, match="no space"):
        checkpoint(2).write(tmp_path)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith("checkpoint-00001")
    assert left.stat().st_mode & 0o777 == 0o644


def test_what_others_have_put_there_is_cleared_away(tmp_path: Path) -> None:
    for name in (".checkpoint-00002-0a", "checkpoint-00007"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "state.json").touch()
    remove_leftovers(tmp_path)
    found, notes = Checkpoint.newest(tmp_path, CONFIG)
    assert found is None
    assert "checkpoint-00007 is damaged" in notes[0]
    checkpoint(1).write(tmp_path)
    assert [p.name[:16] for p in tmp_path.iterdir()] == ["checkpoint-00001"]
