"""Heartbeats of trainers, and who kills a trainer that gives none.

A trainer touches a file on its own machine at every batch. A process that is stuck in a driver, in
a deadlock or stopped by a signal cannot say so itself: somebody else on the machine has to look.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
import time
from pathlib import Path

import psutil

from search.execution.exit_note import ExitNote
from spaces.errors import InputError


def heartbeats_folder() -> Path:
    """A folder of this user's on this machine.

    Raises:
        InputError: If it belongs to somebody else, who could have any process killed.
    """
    folder = Path(tempfile.gettempdir()) / f"holdfold-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise InputError(f"{folder} belongs to somebody else; set TMPDIR to a folder of your own")
    return folder


class Heartbeat:
    """The sign of life of the trainer in this process.

    Args:
        job: Folder of the job.
        trial: Folder of the trial.
    """

    def __init__(self, job: Path, trial: Path) -> None:
        process = psutil.Process()
        self._path = heartbeats_folder() / f"{_place()}-{process.pid}.json"
        self._known = json.dumps(
            {"job": str(job), "trial": str(trial), "created": process.create_time()}
        )

    def start(self) -> None:
        """Says that the trainer works from now on."""
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text(self._known)
        temporary.replace(self._path)

    def beat(self) -> None:
        """Says that the trainer is alive."""
        with contextlib.suppress(FileNotFoundError):
            os.utime(self._path)

    def stop(self) -> None:
        """Says that it waits, which may last."""
        self._path.unlink(missing_ok=True)


class Supervisor:
    """Kills the trainers of a job on this machine that have been silent for too long.

    Silence is counted on this process's own clock, and only while it looks: when the machine was
    asleep, or this process stopped, nobody is blamed.

    Args:
        job: Folder of the job.
        patience: Seconds of silence before a trainer is killed.
    """

    def __init__(self, job: Path, patience: float) -> None:
        self._job, self._patience = str(job), patience
        self._period = min(5.0, patience / 4)
        self._seen: dict[Path, tuple[float, float]] = {}
        self._looked = time.monotonic()
        self._over = threading.Event()

    def start(self) -> None:
        """Looks from now on, in a thread of its own."""
        threading.Thread(target=self._watch, name="supervisor", daemon=True).start()

    def stop(self) -> None:
        """Looks no more."""
        self._over.set()

    def look(self) -> list[int]:
        """Looks once; returns the processes that were killed."""
        now = time.monotonic()
        if now - self._looked > 3 * self._period:
            self._seen.clear()
        self._looked = now
        killed = []
        found = list(heartbeats_folder().glob(f"{_place()}-*.json"))
        self._seen = {path: seen for path, seen in self._seen.items() if path in found}
        for path in found:
            with contextlib.suppress(OSError, ValueError, KeyError, psutil.Error):
                beat = path.stat().st_mtime
                known = json.loads(path.read_text())
                process = _process(int(path.stem.rpartition("-")[2]), known["created"])
                if process is None:
                    path.unlink()
                elif known["job"] != self._job:
                    continue
                elif self._seen.get(path, (0.0, 0.0))[0] != beat:
                    self._seen[path] = beat, now
                elif (silent := now - self._seen[path][1]) > self._patience:
                    ExitNote(
                        fault="hang", reason=f"no sign of life for {silent:.0f} s, killed"
                    ).write(Path(known["trial"]))
                    _kill(process)
                    path.unlink()
                    killed.append(process.pid)
        return killed

    def _watch(self) -> None:
        while not self._over.wait(self._period):
            with contextlib.suppress(OSError, InputError):  # the next look may be luckier
                self.look()


def _place() -> str:
    """Where numbers of processes mean something: containers may share this machine's folder."""
    try:
        return Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    except OSError:
        return "0"


def _process(pid: int, created: float) -> psutil.Process | None:
    """The process of this number, unless the number has gone to another one."""
    try:
        process = psutil.Process(pid)
        return process if abs(process.create_time() - created) < 1 else None
    except psutil.NoSuchProcess:
        return None


def _kill(process: psutil.Process) -> None:
    """Kills a trainer and its loader processes, which may be stuck themselves."""
    for one in [*process.children(recursive=True), process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
