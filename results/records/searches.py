"""Finding searches below a runs folder."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from results.records.ledger import whole_lines
from results.records.trials import Search
from spaces.errors import InputError, unknown


def searches(runs: Path) -> list[Path]:
    """Folders of all searches below ``runs/``, in the order in which they were opened.

    Times of files do not count: a search that goes on, or a copied folder, would be the newest. One
    whose ledger has no whole line is none yet, or was killed before it was one.
    """
    opened = {path.parent: _first_line(path) for path in runs.glob("*/*/ledger.jsonl")}
    begun = {folder: line for folder, line in opened.items() if line.endswith(b"\n")}
    return sorted(begun, key=lambda folder: (_at(begun[folder]), folder.name))


def _first_line(path: Path) -> bytes:
    """What says when a search was opened; nothing of a file that cannot be read."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        return file.readline()
    return b""


def _last_written(folder: Path) -> tuple[float, str]:
    """When the last event of a search happened."""
    with contextlib.suppress(OSError):
        lines = whole_lines((folder / "ledger.jsonl").read_bytes())
        return _at(lines[-1] if lines else b""), folder.name
    return 0.0, folder.name


def _at(line: bytes) -> float:
    """The time of an event, whatever else it holds."""
    try:
        return float(json.loads(line)["at"])
    except (ValueError, KeyError, TypeError):
        return 0.0


def whole_searches(competition: Path) -> list[Search]:
    """All searches of a competition's folder whose records can be read, oldest first."""
    found = []
    for folder in searches(competition.parent):
        if folder.parent == competition:
            with contextlib.suppress(InputError):
                found.append(Search.read(folder))
    return found


def find_search(runs: Path, name: str) -> Path:
    """Finds a search by name, or the one that was worked on last for ``latest``.

    Raises:
        InputError: If there is none, or several competitions have one of that name.
    """
    folders = searches(runs)
    if name == "latest" and folders:
        return max(folders, key=_last_written)
    matches = [p for p in folders if p.name == name or f"{p.parent.name}/{p.name}" == name]
    if len(matches) > 1:
        names = ", ".join(f"{p.parent.name}/{p.name}" for p in matches)
        raise InputError(f"{name!r} is the name of several searches: say which of {names}")
    if not matches:
        raise unknown("search", name, [p.name for p in folders], f"runs={runs}")
    return matches[0]
