"""Checkpoints: safetensors and JSON in a folder that is whole or absent."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from spaces.trial_config import TrialConfig

KEPT = 2
"""Checkpoints per trial: the newest, and the one before in case the newest is damaged."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Checkpoint:
    """The state of a training after an epoch.

    Random states are not part of it: every draw is a function of seed and epoch.

    Attributes:
        reports: Reports of all epochs done, so that a record that lost some gets them back.
        config_digest: Digest of the trial's configuration, however its batches are cut.
        states: State dictionaries by part (``model``, ``optimizer``, …): nested dictionaries of
            tensors, numbers, texts and None.
    """

    reports: tuple[Mapping[str, Any], ...]
    config_digest: str
    states: Mapping[str, Mapping[Any, Any]]

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.reports)

    def write(self, folder: Path) -> Path:
        """Writes ``checkpoint-<epoch>`` into ``folder``, then removes all but the last two."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors: dict[str, torch.Tensor] = {}
        skeleton = _take_tensors(dict(self.states), tensors, "")
        target = folder / f"checkpoint-{self.epoch:05d}"
        temporary = Path(tempfile.mkdtemp(prefix=".checkpoint-", dir=folder))
        try:
            save_file(tensors, temporary / "tensors.safetensors")
            state = {
                "reports": self.reports,
                "config_digest": self.config_digest,
                "states": skeleton,
                "sha256": _sha256(temporary / "tensors.safetensors"),
            }
            body = json.dumps(state, allow_nan=False)
            checked = {"sha256": hashlib.sha256(body.encode()).hexdigest(), "body": body}
            (temporary / "state.json").write_text(json.dumps(checked))
            for file in temporary.iterdir():
                _sync(file)
            temporary.chmod(0o755)
            shutil.rmtree(target, ignore_errors=True)
            temporary.rename(target)
            _sync(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        trim_checkpoints(folder, KEPT)
        return target

    @staticmethod
    def newest(folder: Path, config: TrialConfig) -> tuple[Checkpoint | None, tuple[str, ...]]:
        """Reads the newest whole checkpoint of a training.

        Args:
            folder: The trial's folder.
            config: What was trained.

        Returns:
            The checkpoint, None if there is none, and what is wrong with newer ones.
        """
        notes = []
        for path in reversed(_folders(folder)):
            try:
                found = _read(path)
            except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
                notes.append(f"{path.name} is damaged ({error}) and left out")
                continue
            if found.config_digest in (config.state_digest, config.digest):
                return found, tuple(notes)
            notes.append(f"{path.name} is of another configuration and left out")
        if notes:
            notes.append("no checkpoint is left: it starts with its first epoch")
        return None, tuple(notes)


def remove_leftovers(folder: Path) -> None:
    """Removes what a trainer that was killed while it wrote has left in its trial's folder."""
    for path in folder.glob(".*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def trim_checkpoints(folder: Path, keep: int) -> None:
    """Removes all but the newest ``keep`` checkpoints of a trial."""
    folders = _folders(folder)
    for path in folders[: max(0, len(folders) - keep)]:
        shutil.rmtree(path, ignore_errors=True)


def _folders(folder: Path) -> list[Path]:
    return sorted(folder.glob("checkpoint-*"))


def _read(path: Path) -> Checkpoint:
    checked = json.loads((path / "state.json").read_text())
    if hashlib.sha256(checked["body"].encode()).hexdigest() != checked["sha256"]:
        raise ValueError("state.json does not match its digest")
    state = json.loads(checked["body"])
    file = path / "tensors.safetensors"
    if _sha256(file) != state["sha256"]:
        raise ValueError("tensors.safetensors does not match its digest")
    return Checkpoint(
        reports=tuple(state["reports"]),
        config_digest=state["config_digest"],
        states=_put_tensors(state["states"], load_file(file)),
    )


def _take_tensors(value: Any, tensors: dict[str, torch.Tensor], path: str) -> Any:
    """Moves tensors into ``tensors`` and leaves JSON behind; keys keep their type."""
    if isinstance(value, torch.Tensor):
        # A copy of its own: tied weights share memory, which safetensors refuses.
        tensors[path] = value.detach().cpu().contiguous().clone()
        return {"tensor": path}
    if isinstance(value, Mapping):
        return {
            "items": [
                [key, _take_tensors(item, tensors, f"{path}/{key}")] for key, item in value.items()
            ]
        }
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_take_tensors(v, tensors, f"{path}/{i}") for i, v in enumerate(value)]}
    return {"value": value}


def _put_tensors(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    ((kind, content),) = value.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "items":
        return {key: _put_tensors(item, tensors) for key, item in content}
    if kind in ("list", "tuple"):
        items = [_put_tensors(item, tensors) for item in content]
        return items if kind == "list" else tuple(items)
    return content


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
