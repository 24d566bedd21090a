"""Room on the disk: how much trials need, and whether it is there."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

MIB = 2**20
RESERVE = 1 * MIB
"""Bytes that have to be free whatever trials need."""

PEAK = 1.5
"""A trial's room while it writes, over that between writes: a third checkpoint beside two."""


class Room:
    """Learns from what trials have written how much others will need.

    Args:
        folder: The job's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._largest = 0

    def learn(self, trial_id: str) -> int:
        """Looks at what a trial has written so far; returns its bytes."""
        size = _size(self._folder / "trials" / trial_id)
        self._largest = max(self._largest, size)
        return size

    def shortage(self, running: Iterable[str]) -> str:
        """What is missing for one more trial beside those that run, in words.

        Args:
            running: Ids of trials that run; what they have written already they need not again.

        Returns:
            A few words; empty if there is room enough.
        """
        sizes = [self.learn(trial) for trial in running]
        peak = PEAK * self._largest
        needed = max(RESERVE, peak + sum(max(0.0, peak - size) for size in sizes))
        free = shutil.disk_usage(self._folder).free
        if free >= needed:
            return ""
        return f"{free / MIB:.0f} MiB left, {needed / MIB:.0f} MiB needed"


def _size(folder: Path) -> int:
    """Bytes of the whole files in a folder that other processes may be changing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            if not name.startswith("."):  # being written
                with contextlib.suppress(OSError):
                    total += (Path(parent) / name).stat().st_size
    return total
