"""Room on the disk: how much trials need, and whether it is there."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

MIB = 2**20
RESERVE = 1 * MIB
"""Bytes that have to be free whatever trials need."""

PEAK = 1.5
"""A trial's room while it writes, over that between writes: a third checkpoint beside two."""


class Room:
    """Learns from what trials have written how much the next ones will need.

    Args:
        folder: The job's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._needed = 0.0

    def learn(self, trial_id: str) -> None:
        """Looks at what a trial has written so far."""
        self._needed = max(self._needed, PEAK * _size(self._folder / "trials" / trial_id))

    def shortage(self, trials: int) -> str:
        """What is missing for so many trials, in words; empty if there is room enough."""
        free = shutil.disk_usage(self._folder).free
        needed = max(RESERVE, trials * self._needed)
        if free >= needed:
            return ""
        return f"{free / MIB:.0f} MiB left, {needed / MIB:.0f} MiB needed"


def _size(folder: Path) -> int:
    """Bytes of all files below a folder that other processes may be changing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(parent) / name).stat().st_size
    return total
