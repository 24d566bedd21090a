"""Checkpoints: safetensors files that are whole or absent.

All tensors lie in one, byte by byte, since writing one is twice as fast as writing hundreds. What
is not a tensor is JSON in the file's metadata. The file's digest is in its name.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from spaces.trial_config import TrialConfig

KEPT = 2
"""Checkpoints per trial: the newest, and the one before in case the newest is damaged."""

_STATE, _TENSORS = "state", "tensors"
"""The keys of the file's metadata and of its one tensor."""

UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
    StopIteration,
    SafetensorError,
)
"""What reading a checkpoint raises that is damaged, forged or of another version."""


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
        """Writes ``checkpoint-<epoch>-<digest>.safetensors`` into ``folder``.

        Checkpoints before the last two are removed, and those of the same or later epochs: they
        were damaged or of another configuration, or the training would not be here.

        Raises:
            OSError: If it cannot be written; there is no half of it.
            SafetensorError: The same, such as on a full disk.
        """
        folder.mkdir(parents=True, exist_ok=True)
        parts: list[torch.Tensor] = []
        states = _take_tensors(self.states, parts)
        state = {
            "reports": self.reports,
            "config_digest": self.config_digest,
            "states": states,
            "sizes": [part.nbytes for part in parts],
        }
        metadata = {_STATE: json.dumps(state, allow_nan=False)}
        # Of its own: a trainer that lost its cluster may still write what its successor writes.
        temporary = folder / f".checkpoint-{self.epoch:05d}-{secrets.token_hex(4)}"
        try:
            save_file({_TENSORS: _bytes_of(parts)}, temporary, metadata=metadata)
            temporary.chmod(0o644)  # a team mate may take the training over
            _sync(temporary)
            target = folder / f"checkpoint-{self.epoch:05d}-{_digest(temporary)}.safetensors"
            temporary.replace(target)
            _sync(folder)
        finally:
            temporary.unlink(missing_ok=True)
        for path in _files(folder):
            if path.name >= f"checkpoint-{self.epoch:05d}" and path != target:
                _remove(path)
        trim_checkpoints(folder, KEPT)
        return target

    @staticmethod
    def newest(
        folder: Path, config: TrialConfig | str
    ) -> tuple[Checkpoint | None, tuple[str, ...]]:
        """Reads the newest whole checkpoint of a training.

        Args:
            folder: The trial's folder.
            config: What was trained, or the digest of its state.

        Returns:
            The checkpoint, None if there is none, and what is wrong with newer ones.
        """
        notes = []
        fits = {config} if isinstance(config, str) else {config.state_digest, config.digest}
        for path in reversed(_files(folder)):
            try:
                found = _read(path)
            except UNREADABLE as error:
                notes.append(f"{path.name} is damaged ({error}) and left out")
                continue
            if found.config_digest in fits:
                return found, tuple(notes)
            notes.append(f"{path.name} is of another configuration and left out")
        if notes:
            notes.append("no checkpoint is left: it starts with its first epoch")
        return None, tuple(notes)


def remove_leftovers(folder: Path) -> None:
    """Removes what a trainer that was killed while it wrote has left in its trial's folder."""
    for path in folder.glob(".*"):
        _remove(path)


def trim_checkpoints(folder: Path, keep: int) -> None:
    """Removes all but the newest ``keep`` checkpoints of a trial."""
    files = _files(folder)
    for path in files[: max(0, len(files) - keep)]:
        _remove(path)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("checkpoint-*"))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _read(path: Path) -> Checkpoint:
    if _digest(path) != path.stem.rpartition("-")[2]:
        raise ValueError("it does not match the digest in its name")
    with safe_open(path, framework="pt") as file:
        state = json.loads(file.metadata()[_STATE])
        parts = torch.split(file.get_tensor(_TENSORS), state["sizes"])
    return Checkpoint(
        reports=tuple(state["reports"]),
        config_digest=state["config_digest"],
        states=_put_tensors(state["states"], iter(parts)),
    )


def _take_tensors(value: Any, parts: list[torch.Tensor]) -> Any:
    """Moves tensors into ``parts`` and leaves JSON behind; keys keep their type."""
    if isinstance(value, torch.Tensor):
        parts.append(value.detach())
        kind = str(value.dtype).removeprefix("torch.")
        return {"tensor": [kind, list(value.shape), _lies_channels_last(value)]}
    if isinstance(value, Mapping):
        return {"items": [[key, _take_tensors(item, parts)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_take_tensors(item, parts) for item in value]}
    return {"value": value}


def _bytes_of(parts: list[torch.Tensor]) -> torch.Tensor:
    """The bytes of tensors one after the other, uint8 (n,) on the CPU."""
    whole = torch.empty(sum(part.nbytes for part in parts), dtype=torch.uint8)
    places = torch.split(whole, [part.nbytes for part in parts])
    for place, part in zip(places, parts, strict=True):
        place.copy_(part.contiguous().reshape(-1).view(torch.uint8))
    return whole


def _lies_channels_last(tensor: torch.Tensor) -> bool:
    """Whether a tensor lies so in memory: sums over it, such as norms, add up in that order."""
    return (
        tensor.dim() == 4
        and not tensor.is_contiguous()
        and tensor.is_contiguous(memory_format=torch.channels_last)
    )


def _put_tensors(value: Any, parts: Iterator[torch.Tensor]) -> Any:
    ((kind, content),) = value.items()
    if kind == "tensor":
        kind, shape, channels_last = content
        # A copy begins where its type may begin; a slice need not.
        tensor = next(parts).clone().view(getattr(torch, kind)).reshape(shape)
        return tensor.contiguous(memory_format=torch.channels_last) if channels_last else tensor
    if kind == "items":
        return {key: _put_tensors(item, parts) for key, item in content}
    if kind in ("list", "tuple"):
        items = [_put_tensors(item, parts) for item in content]
        return items if kind == "list" else tuple(items)
    return content


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
