"""Arrays in a file that is named by what they hold, so that a change shows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spaces.errors import InputError
from spaces.files import whole_file

Arrays = Mapping[str, NDArray[Any]]


def digest_of(arrays: Arrays) -> str:
    """Identity of arrays with their names, types and shapes."""
    found = hashlib.sha256()
    for name in sorted(arrays):
        part = arrays[name]
        found.update(f"{name}{part.dtype}{part.shape}".encode())
        found.update(np.ascontiguousarray(part).data)
    return found.hexdigest()[:16]


def write_arrays(arrays: Arrays, folder: Path, stem: str) -> Path:
    """Writes ``<stem>-<digest>.npz`` into ``folder``, unless it is there; returns its path."""
    path = folder / f"{stem}-{digest_of(arrays)}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
    return path


def check_digest(path: Path, arrays: Arrays) -> None:
    """Compares what was read with the name of its file.

    Raises:
        InputError: If it was changed.
    """
    found = digest_of(arrays)
    if not path.stem.endswith(f"-{found}"):
        raise InputError(f"{path} was changed: its contents have the digest {found}")
