"""The ledger of a job: one JSON object per line, appended by one writer, never changed.

Everything else that is shown or tracked is computed from it and can be deleted and rebuilt.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter

from results.records.lock import WriterLock
from results.records.record import Event, read_event
from spaces.errors import InputError

E = TypeVar("E", bound=Event)


class Ledger:
    """The one writer of a job's ledger.

    Events get the time (``at``, seconds since the epoch) when they are added. ``commit`` makes
    all events added since the last commit durable with one fsync.

    Args:
        path: The ledger; made, if it is not there, when there is something to write.
        patience: Seconds to wait for another writer.

    Raises:
        InputError: On opening, if another process writes this ledger.
    """

    def __init__(self, path: Path, patience: float = 0.0) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = WriterLock(path)
        self._lock.acquire(patience)
        self._file: FileIO | None = None
        self._size = path.read_bytes().rfind(b"\n") + 1 if path.exists() else 0
        if path.exists():
            os.truncate(path, self._size)
        self._waiting: list[Event] = []

    @property
    def begun(self) -> bool:
        """Whether it holds an event."""
        return self._size > 0

    def add(self, event: E) -> E:
        """Adds an event, to be written by the next ``commit``, and returns it with its time."""
        event = event.stamped()
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
        data = b"".join(event.line() for event in self._waiting)
        size = self._size + len(data)
        if self._file is None:
            self._file = self.path.open("ab", buffering=0)
        try:
            written = 0
            while written < len(data):
                written += self._file.write(data[written:])
            os.fsync(self._file.fileno())
        except BaseException:  # Ctrl-C, too: what is committed on closing is there once
            os.truncate(self.path, self._size)
            raise
        self._size, self._waiting = size, []

    def close(self) -> None:
        """Commits what waits and lets the next writer in."""
        try:
            self.commit()
        finally:
            if self._file is not None:
                self._file.close()
            self._lock.release()


def read_ledger(path: Path, kinds: TypeAdapter[Any], skip: int = 0) -> Iterator[Event]:
    """Reads events one by one; a torn last line is dropped with a warning.

    Args:
        path: The ledger.
        kinds: The union of the record's events.
        skip: Events at the beginning that are left out.

    Raises:
        InputError: If the ledger is missing, or naming the line that is damaged.
    """
    if not path.is_file():
        raise InputError(f"there is no ledger at {path}")
    data = path.read_bytes()
    if data and not data.endswith(b"\n"):
        warnings.warn(f"{path}: the last line was cut off and is left out", stacklevel=2)
    for number, line in enumerate(whole_lines(data)[skip:], start=skip + 1):
        yield read_event(line, kinds, path, number)


def replay(
    path: Path, kinds: TypeAdapter[Any], apply: Callable[[Event], None], skip: int = 0
) -> None:
    """Reads all events and hands them on, one by one.

    Args:
        path: The ledger.
        kinds: The union of the record's events.
        apply: Takes an event in; raises KeyError or ValueError if it does not fit those before.
        skip: Events at the beginning that are left out.

    Raises:
        InputError: If the ledger is missing or damaged, or naming the event that did not fit.
    """
    for number, event in enumerate(read_ledger(path, kinds, skip), start=skip + 1):
        try:
            apply(event)
        except (KeyError, ValueError) as error:
            raise InputError(
                f"{path}, line {number} ({event.event}) is damaged: {type(error).__name__}: {error}"
            ) from error


def whole_lines(data: bytes) -> list[bytes]:
    """Lines that end; what follows the last line feed is left out."""
    return data[: data.rfind(b"\n") + 1].splitlines(keepends=True)
