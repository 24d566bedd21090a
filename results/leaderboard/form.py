"""What every form of a submission can do."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from results.predictions import Predictions


class Form(Protocol):
    """What a contest wants to be handed."""

    def write(self, predictions: Predictions, path: Path) -> None:
        """Writes predictions as a submission, whole and checked or not at all."""

    def check(self, path: Path) -> None:
        """Checks a file.

        Raises:
            InputError: Naming what is wrong, with the row.
        """
