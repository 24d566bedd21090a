"""The processes that share a trial's batches: the trainer starts them, tells them, ends them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.execution.exit_note import ExitNote, read_exit_note
from search.jobs.job import Job
from spaces.trial_config import TrialConfig
from trainables.training.ranks import ALONE, RankError, Ranks, join, part

if TYPE_CHECKING:
    from trainables.training.state import Beat

READY, STORE = "ready-{}", "store"
"""Files in the folder where they meet: a process that is about to join, and torch's."""

STARTING = 300.0
"""Seconds within which all of them have imported what trains, on a machine that does much else."""

PATIENCE = 10.0
"""Seconds in which a process ends that has been told to, or whose sockets are closed."""


@contextlib.contextmanager
def rank_group(
    job: Job, config: TrialConfig, folder: Path, beat: Beat, lost: Callable[[ExitNote], None]
) -> Iterator[Ranks]:
    """As many processes as the job says for one trial, this one included.

    They end with the context, and with this process, however it ends.

    Args:
        job: What the trials share.
        config: What is trained.
        folder: The trial's folder.
        beat: Called while others start.
        lost: Called with what ended one of the others, from a thread of its own: this process may
            wait for it where nothing is raised.

    Yields:
        This process as the first of them.
    """
    if job.processes == 1:
        yield ALONE
        return
    meeting = Path(tempfile.mkdtemp(prefix="holdfold-ranks-"))
    leader = _Leader(job.processes, meeting, lost)
    given = {
        "job": asdict(job),
        "config": config.to_json(),
        "folder": str(folder),
        "meeting": str(meeting),
        "parent": os.getpid(),
        "size": job.processes,
    }
    try:
        leader.start(given, beat)
        yield leader
    except RankError:
        leader.await_loss()
        raise
    except Exception:
        leader.kill()  # they may wait for this one in the middle of a step
        raise
    finally:
        leader.close()
        shutil.rmtree(meeting, ignore_errors=True)


class _Leader(Ranks):
    """The first process, with the others as its children."""

    def __init__(self, size: int, meeting: Path, lost: Callable[[ExitNote], None]) -> None:
        self.size, self._meeting, self._lost = size, meeting, lost
        self._others: list[subprocess.Popen[str]] = []
        self._over, self._heard = threading.Event(), threading.Event()

    def start(self, given: dict[str, Any], beat: Beat) -> None:
        """Starts the others and meets them."""
        for rank in range(1, self.size):
            other = subprocess.Popen(
                [sys.executable, "-m", "search.execution.rank_process"],
                stdin=subprocess.PIPE,
                text=True,
                start_new_session=True,  # Ctrl-C is for the driver
            )
            self._others.append(other)
            self._tell(other, json.dumps({**given, "rank": rank}))
            threading.Thread(target=self._watch, args=(rank, other), daemon=True).start()
        until = time.monotonic() + STARTING
        while not all((self._meeting / READY.format(r)).exists() for r in range(1, self.size)):
            if self._heard.is_set():
                raise RankError("a process that shares the batches did not start")
            if time.monotonic() > until:
                raise RankError(f"processes that share the batches did not start in {STARTING:g} s")
            beat()
            time.sleep(0.05)
        join(self, self._meeting / STORE)

    def begin(self, epoch: int) -> None:
        """Tells the others to train an epoch."""
        for other in self._others:
            self._tell(other, str(epoch))

    def _tell(self, other: subprocess.Popen[str], line: str) -> None:
        assert other.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it is gone, and will be missed
            other.stdin.write(f"{line}\n")
            other.stdin.flush()

    def _watch(self, rank: int, other: subprocess.Popen[str]) -> None:
        code = other.wait()
        if self._over.is_set():
            return
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        died = ExitNote(fault="death", reason=f"process {rank + 1} of {self.size} died: {how}")
        note = read_exit_note(self._meeting / str(rank)) or died
        self.kill()
        shutil.rmtree(self._meeting, ignore_errors=True)
        self._lost(note)
        self._heard.set()

    def await_loss(self) -> None:
        """Waits until it is known which of the others is gone, and why."""
        self._heard.wait(PATIENCE)
        self.kill()

    def kill(self) -> None:
        """Ends the others where they are."""
        self._over.set()
        for other in self._others:
            other.kill()

    def close(self) -> None:
        """Lets the others end, which may be waiting for an epoch."""
        killed = self._over.is_set()
        self._over.set()
        for other in self._others:
            assert other.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                other.stdin.close()
        part(abort=killed)
        for other in self._others:
            try:
                other.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                other.kill()
                other.wait()
