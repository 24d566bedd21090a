"""The ledger of a job: one JSON object per line, appended by one writer, never changed.

Everything else that is shown or tracked is computed from it and can be deleted and rebuilt.
"""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from results.records.lock import WriterLock
from spaces.errors import InputError

Event = dict[str, Any]


class Ledger:
    """The one writer of a job's ledger.

    Events get the time (``at``, seconds since the epoch) when they are added. ``commit`` makes
    all events added since the last commit durable with one fsync.

    Args:
        path: The ledger; made if it is not there.
        patience: Seconds to wait for another writer.

    Raises:
        InputError: On opening, if another process writes this ledger.
    """

    def __init__(self, path: Path, patience: float = 0.0) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = WriterLock(path)
        self._lock.acquire(patience)
        if path.exists():
            whole = sum(len(line) for line in _whole_lines(path))
            os.truncate(path, whole)
        self._file = path.open("ab", buffering=0)
        self._size = path.stat().st_size
        self._waiting: list[Event] = []

    def add(self, kind: str, /, **fields: Any) -> Event:
        """Adds an event, to be written by the next ``commit``, and returns it."""
        event = {"event": kind, "at": round(time.time(), 3), **fields}
        self._waiting.append(event)
        return event

    def commit(self) -> None:
        """Writes the waiting events and waits until they are on the disk.

        Raises:
            OSError: If they cannot be written; nothing of them is left in the file, and they wait
                for the next commit.
        """
        if not self._waiting:
            return
        lines = [json.dumps(e, allow_nan=False, ensure_ascii=False) + "\n" for e in self._waiting]
        # A file name that is no text may stand in a message: JSON has an escape for that.
        data = "".join(lines).encode(errors="backslashreplace")
        try:
            written = 0
            while written < len(data):
                written += self._file.write(data[written:])
            os.fsync(self._file.fileno())
        except OSError:
            os.truncate(self.path, self._size)
            raise
        self._size += len(data)
        self._waiting.clear()

    def close(self) -> None:
        """Commits what waits and lets the next writer in."""
        try:
            self.commit()
        finally:
            self._file.close()
            self._lock.release()


class OtherFormatError(InputError):
    """A record that another version of the program wrote."""


def read_ledger(path: Path) -> list[Event]:
    """Reads all events; a torn last line is dropped with a warning.

    Raises:
        InputError: If the ledger is missing, or a line before the last is damaged.
    """
    if not path.is_file():
        raise InputError(f"there is no ledger at {path}")
    data = path.read_bytes()
    if data and not data.endswith(b"\n"):
        warnings.warn(f"{path}: the last line was cut off and is left out", stacklevel=2)
    return list(parse_events(_whole_lines(path), path))


def replay(path: Path, apply: Callable[[Event], None], skip: int = 0) -> None:
    """Reads all events and hands them on, one by one.

    Args:
        path: The ledger.
        apply: Takes an event in.
        skip: Events at the beginning that are left out.

    Raises:
        InputError: If the ledger is missing or damaged, or naming the event that ``apply`` could
            make nothing of.
    """
    for number, event in enumerate(read_ledger(path)[skip:], start=skip + 1):
        try:
            apply(event)
        except OtherFormatError as error:
            raise InputError(f"{path}: {error}") from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"{path}, line {number} ({event['event']}) is damaged: "
                f"{type(error).__name__}: {error}"
            ) from error


def parse_events(lines: Iterable[bytes], path: Path, first: int = 1) -> Iterator[Event]:
    """Parses complete lines; ``first`` is the number of the first, for the message.

    Raises:
        InputError: Naming the line that is damaged.
    """
    for number, line in enumerate(lines, start=first):
        try:
            event = json.loads(line)
            if not isinstance(event["event"], str):
                raise ValueError("no event name")
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}, line {number} is damaged: {line[:80]!r}") from error
        yield event


def _whole_lines(path: Path) -> list[bytes]:
    lines = path.read_bytes().splitlines(keepends=True)
    return lines[:-1] if lines and not lines[-1].endswith(b"\n") else lines
