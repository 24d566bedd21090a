"""How often a training's state is written down."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from trainables.training.checkpoint import Checkpoint
from trainables.training.full_disk import with_room

TIMES_AS_LONG = 4
"""As a checkpoint took does a training go on before the next: between the first and the last, a
fifth of its time at most goes into them, and a kill costs no more than that and an epoch."""


class Saving:
    """Writes a training's checkpoints: the first, and others as often as they are worth it."""

    def __init__(self) -> None:
        self._took, self._last = 0.0, time.perf_counter()

    @property
    def due(self) -> bool:
        """Whether what would be lost took `TIMES_AS_LONG` as writing it down."""
        return time.perf_counter() - self._last >= TIMES_AS_LONG * self._took

    def write(self, checkpoint: Checkpoint, folder: Path, beat: Callable[[], None]) -> float:
        """Writes a checkpoint; where the disk is full it waits until there is room.

        Returns:
            Seconds that writing took.
        """

        def timed() -> None:
            begun = time.perf_counter()
            checkpoint.write(folder)
            self._last = time.perf_counter()
            self._took = self._last - begun

        with_room(timed, beat)
        return self._took
