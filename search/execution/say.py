"""Lines that tell the user what a command is at."""

from __future__ import annotations

import time
from collections.abc import Callable

Say = Callable[[str], None]
"""Tells the user a line."""


def say(line: str) -> None:
    """Prints a line at once."""
    print(line, flush=True)


def say_unless(quiet: bool) -> Say:
    """What prints lines at once, unless the command is to be quiet."""
    return (lambda line: None) if quiet else say


def every_second(say: Say, what: str) -> Callable[[int, int], None]:
    """Makes a callback for long work that says at most once a second how much of it is done."""
    last = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= 1:
            last = time.monotonic()
            say(f"{what}: {done:,} of {total:,}")

    return progress
