"""How often a training's state is written down."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from trainables.training.checkpoint import Checkpoint
from trainables.training.full_disk import with_room

WORTH = 4
"""Times as long as a checkpoint took does a training go on before the next: no more than a fifth of
its time goes into them, and no more work is lost when it is killed."""


class Saving:
    """Writes a training's checkpoints, as often as they are worth it."""

    def __init__(self) -> None:
        self._took, self._last = 0.0, time.perf_counter()

    @property
    def due(self) -> bool:
        """Whether what would be lost took longer than it takes to write it down."""
        return time.perf_counter() - self._last >= WORTH * self._took

    def write(self, checkpoint: Checkpoint, folder: Path, beat: Callable[[], None]) -> None:
        """Writes a checkpoint; where the disk is full it waits until there is room."""

        def timed() -> None:
            begun = time.perf_counter()
            checkpoint.write(folder)
            self._last = time.perf_counter()
            self._took = self._last - begun

        with_room(timed, beat)
