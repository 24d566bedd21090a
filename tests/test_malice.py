"""Files that were made to do harm: what they plant never runs, where they point is not touched."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from results.leaderboard.leaderboard import Leaderboard
from results.predictions import Predictions
from results.records.trials import Search
from search.execution.exit_note import read_exit_note
from search.options.command_line import parse
from search.options.training import RunConfig
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from tests.records import draft, opening
from trainables.data.contest import load_contest
from trainables.networks.timm_network import timm_network
from trainables.training.checkpoint import Checkpoint

CONFIG = TrialConfig.of(backbone="test_resnet")


class Planted:
    """Touches a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.file}",)


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """What is there once a planted command has run."""
    file = tmp_path / "planted"
    pickle.loads(pickle.dumps(Planted(file)))
    assert file.exists()  # it would work
    file.unlink()
    return file


def test_pickles_in_predictions_checkpoints_and_weights(tmp_path: Path, planted: Path) -> None:
    bomb = np.empty(1, dtype=object)
    bomb[0] = Planted(planted)
    arrays: dict[str, Any] = {"images": bomb, "classes": bomb, "head:probabilities": bomb}
    np.savez(tmp_path / "holdout.npz", **arrays)
    with pytest.raises(InputError, match="does not hold predictions"):
        Predictions.read(tmp_path / "holdout.npz")
    trial, data = tmp_path / "trial", pickle.dumps(Planted(planted))
    trial.mkdir()
    digest = hashlib.sha256(data).hexdigest()[:16]
    (trial / f"checkpoint-00001-{digest}.safetensors").write_bytes(data)
    found, notes = Checkpoint.newest(trial, CONFIG)
    assert found is None
    assert "is damaged" in notes[0]
    forged: tuple[Any, ...] = (
        {"tensor": ["os", [4]]},
        {"items": 3},
        [],
        {"tensor": ["float32", [9]]},
    )
    for states in forged:
        state = {"reports": [], "config_digest": "", "states": states, "sizes": [16]}
        tensors = {"tensors": torch.zeros(16, dtype=torch.uint8)}
        save_file(tensors, trial / "forged", {"state": json.dumps(state)})
        digest = hashlib.sha256((trial / "forged").read_bytes()).hexdigest()[:16]
        (trial / "forged").rename(trial / f"checkpoint-00002-{digest}.safetensors")
        found, notes = Checkpoint.newest(trial, CONFIG)
        assert found is None
        assert "checkpoint-00002" in notes[0]
        assert "is damaged" in notes[0]
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(data)
    with pytest.raises(InputError, match="is not a safetensors file"):
        timm_network(CONFIG.replace(weights=str(weights)), 2)
    assert not planted.exists()


@pytest.mark.parametrize(
    ("event", "change"),
    [
        ("opened", {"search": "../../x"}),
        ("opened", {"competition": "/etc"}),
        ("opened", {"folds": {"file": "../f.csv", "digest": "f", "count": 2, "sizes": [1]}}),
        ("trial_started", {"trial": "../../x"}),
        ("trial_started", {"trial": "a\nb"}),
        ("trial_started", {"taken": "../../x-000"}),
    ],
)
def test_a_ledger_that_points_elsewhere(tmp_path: Path, event: str, change: dict[str, Any]) -> None:
    started = {
        "trial": "j-000", "number": 0, "why": "sampled", "arm": "", "params": {},
        "config": CONFIG.to_json(),
    }  # fmt: skip
    events = [
        {"event": "opened", "at": 1.0, **opening("j", CONFIG)},
        {"event": "trial_started", "at": 2.0, **started},
    ]
    path = tmp_path / "ledger.jsonl"
    path.write_text("".join(json.dumps(e) + "\n" for e in events))
    assert Search.read(tmp_path).trials
    for line in events:
        if line["event"] == event:
            line.update(change)
    path.write_text("".join(json.dumps(e) + "\n" for e in events))
    with pytest.raises(InputError, match=r"ledger.jsonl, line \d \(\w+\) is damaged"):
        Search.read(tmp_path)


def test_a_leaderboard_that_points_elsewhere(tmp_path: Path) -> None:
    leaderboard = Leaderboard.read(tmp_path)
    leaderboard.add_submission("t", draft(tmp_path))
    path = tmp_path / "leaderboard.jsonl"
    event = json.loads(path.read_text())
    for change in ({"submission": "../x"}, {"holdout": "../../x.csv"}, {"oof": "/etc/passwd"}):
        path.write_text(json.dumps({**event, **change}) + "\n")
        with pytest.raises(InputError, match=r"leaderboard.jsonl, line 1 \(submitted\) is damaged"):
            Leaderboard.read(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "name: !!python/object/apply:os.system ['touch {}']",
        "name: x\n_target_: os.system",
        "root: ${{oc.env:HOME}}\nname: ${{oc.decode:x}}",
        "name: x\nbaseline: {{_target_: os.system, command: touch {}}}",
    ],
)
def test_yaml_that_wants_to_run_something(tmp_path: Path, planted: Path, text: str) -> None:
    (tmp_path / "conf/data").mkdir(parents=True)
    (tmp_path / "conf/data/evil.yaml").write_text(text.format(planted))
    with contextlib.suppress(InputError):
        config = parse(RunConfig, ["--config-dir", str(tmp_path / "conf"), "data=evil"])
        assert config.data.name in ("", "x")  # plain text, if anything
    assert not planted.exists()


def test_image_names_that_leave_the_contest_or_look_like_commands(
    tmp_path: Path, planted: Path
) -> None:
    root = tmp_path / "contest"
    root.mkdir()
    picture = np.zeros((8, 8, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "outside.png"), picture)
    odd = [f"$(touch planted{i}).png" for i in range(2)] + ["; touch planted;.png", "-rf.png"]
    for name in odd:
        cv2.imwrite(str(root / name), picture)

    def write(names: list[str]) -> None:
        rows = "".join(f'"{name}",{i % 2}\n' for i, name in enumerate(names))
        (root / "train.csv").write_text("image,label\n" + rows)

    write(odd)
    contest = load_contest(name="c", root=root, test="")
    assert contest.train_images == tuple(odd)
    for name in ("../outside.png", str(tmp_path / "outside.png")):
        write([*odd, name])
        with pytest.raises(InputError, match=r"lies outside|an absolute path"):
            load_contest(name="c", root=root, test="")
    assert not planted.exists()
    assert not list(Path.cwd().glob("planted*"))


def test_exit_note_of_somebody_else(tmp_path: Path) -> None:
    for text in ("", "[]", "{}", '{"fault": "rm -rf", "reason": "x"}', '{"fault": "hang"}'):
        (tmp_path / "exit_note.json").write_text(text)
        assert read_exit_note(tmp_path) is None
        assert not (tmp_path / "exit_note.json").exists()
