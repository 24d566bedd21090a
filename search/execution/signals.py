"""Signals that end a job cleanly."""

from __future__ import annotations

import contextlib
import signal
import types
from collections.abc import Iterator

from search.execution.driver import Driver


@contextlib.contextmanager
def stops_cleanly(driver: Driver) -> Iterator[None]:
    """Ends the job cleanly on Ctrl-C or SIGTERM; a second Ctrl-C ends it at once.

    A second SIGTERM says nothing new: whoever ends a group may send one to its leader, too.
    """

    def stop(number: int, frame: types.FrameType | None) -> None:
        if driver.stopping and number == signal.SIGINT:
            raise KeyboardInterrupt
        driver.stopping = driver.stopping or signal.Signals(number).name

    before = {n: signal.signal(n, stop) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
