"""One writer per record, on one machine or several, that can be named while it writes."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from results.records.user import user_name
from spaces.errors import InputError

RENEWED = 10.0
"""Seconds after which the owner says again that it is alive."""

STALE = 60.0
"""Seconds of silence after which an owner on another machine is taken for dead."""


class WriterLock:
    """Lets one process write a record.

    The operating system frees the lock of a process that died. Where a shared file system does not
    pass locks on between machines, a file beside it says who writes and is renewed: an owner on
    another machine counts for a minute after it was last heard of.

    Args:
        path: The record.
    """

    def __init__(self, path: Path) -> None:
        self._record = path
        self._lock = FileLock(path.with_suffix(".lock"))
        self._owner = path.with_suffix(".owner")
        self._ours: dict[str, Any] = {}
        self._released = threading.Event()

    def acquire(self, patience: float) -> None:
        """Takes the lock.

        Args:
            patience: Seconds to wait for another writer.

        Raises:
            InputError: Naming the writer that has it.
        """
        try:
            self._lock.acquire(timeout=patience)
        except Timeout:
            raise InputError(
                f"{self._record.parent} is being written by another process{_shown(self._known())}"
            ) from None
        known = self._known()
        if known.get("host", socket.gethostname()) != socket.gethostname() and self._fresh():
            self._lock.release()
            raise InputError(
                f"{self._record.parent} is being written on another machine{_shown(known)}; if "
                f"that one is gone, try again in {STALE:.0f} s"
            )
        self._write()

    def release(self) -> None:
        """Lets the next writer in; of a record that was never made nothing is left."""
        self._released.set()
        if self._known() == self._ours:
            self._owner.unlink(missing_ok=True)
        if not self._record.exists():
            Path(self._lock.lock_file).unlink(missing_ok=True)  # filelock heeds that it is gone
        self._lock.release()

    def _renew(self) -> None:
        """Says again and again that the owner is alive; a thread does, however busy it is."""
        while not self._released.wait(RENEWED):
            with contextlib.suppress(OSError):
                os.utime(self._owner)

    def _write(self) -> None:
        self._ours = {
            "user": user_name(),
            "host": socket.gethostname(),
            "process": os.getpid(),
            "since": time.strftime("%Y-%m-%d %H:%M:%S"),
        }
        with contextlib.suppress(OSError):  # a full disk: the lock itself holds
            self._owner.write_text(json.dumps(self._ours))
        self._released.clear()
        threading.Thread(target=self._renew, name="owner", daemon=True).start()

    def _known(self) -> dict[str, Any]:
        """Who wrote last and did not end properly; empty if nobody, or that cannot be read."""
        try:
            found = json.loads(self._owner.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _fresh(self) -> bool:
        try:
            return time.time() - self._owner.stat().st_mtime < STALE
        except OSError:
            return False


def _shown(owner: dict[str, Any]) -> str:
    if not owner:
        return ""
    return (
        f": {owner.get('user')} on {owner.get('host')}, process {owner.get('process')}, "
        f"since {owner.get('since')}"
    )
