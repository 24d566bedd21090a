"""The tracker: tails a job's ledger into MLflow, in a thread that nothing waits for.

Reading a ledger twice adds nothing twice: runs are found by their ledger ids, times are the
ledger's own.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from results.records.events import EVENTS
from results.records.ledger import whole_lines
from results.records.record import Event, read_event
from results.records.secrets import in_a_line
from results.records.trials import Search

if TYPE_CHECKING:
    from results.tracking.drawings import ReadImage
    from results.tracking.projection import Projection

PERIOD = 2.0
"""Seconds between looks at the ledger: a request of several epochs costs as much as one of one."""


class Tracker:
    """Copies one job's ledger into MLflow until told to finish.

    Args:
        folder: The job's folder.
        uri: Tracking URI.
        read_image: Reads training images, over which masks are drawn; None to draw none.
    """

    def __init__(self, folder: Path, uri: str, read_image: ReadImage | None = None) -> None:
        self._folder, self._uri, self._read_image = folder, uri, read_image
        self._path = folder / "ledger.jsonl"
        self._offset = self._line = 0
        self._record = Search(folder=folder)
        self._projection: Projection | None = None
        self._pending: list[Event] = []
        self._finish = threading.Event()
        self._thread = threading.Thread(target=self._tail, name="tracker", daemon=True)
        self.cpu_seconds = 0.0
        self.problem = ""

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Lets the thread end when it has copied what there is; waits for nothing."""
        self._finish.set()

    def finish(self, patience: float = 60.0) -> bool:
        """Waits until MLflow has all of the ledger.

        Args:
            patience: Seconds to wait at most.

        Returns:
            Whether it has; if not, `problem` says why.
        """
        self.stop()
        self._thread.join(patience)
        done = not self._thread.is_alive() and not self.problem
        if not done and not self.problem:
            self.problem = f"the tracking store did not keep up within {patience:g} s"
        return done

    def catch_up(self) -> None:
        """Copies what the ledger has more than MLflow; raises what MLflow raises."""
        from results.tracking.projection import Projection  # seconds, in which others go on

        self._read()
        if self._projection is None and self._pending:
            self._projection = Projection(self._record, self._uri, self._read_image)
        while self._projection is not None and self._pending:
            self._projection.add(self._pending)
            self._pending = []
            self._read()

    def _tail(self) -> None:
        wait = PERIOD
        while True:
            finishing = self._finish.is_set()
            try:
                self.catch_up()
                self.problem, wait = "", PERIOD
            except Exception as error:  # whatever it is, trials go on and the summary says so
                self.problem = in_a_line(error, self._uri)
                wait = min(30.0, wait * 2)
            self.cpu_seconds = time.thread_time()
            if finishing:
                return
            self._finish.wait(wait)

    def _read(self) -> None:
        """Takes in the complete lines that were added to the ledger."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            lines = whole_lines(file.read())
        for line in lines:
            event = read_event(line, EVENTS, self._path, self._line + 1)
            self._record.apply(event)
            self._pending.append(event)
            self._offset += len(line)
            self._line += 1
