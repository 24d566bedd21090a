"""Labelled images from elsewhere: trained on by every fold, held out by none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spaces.csv_table import write_csv_table
from spaces.digest import digest
from spaces.errors import InputError
from spaces.sections.extra import EveryExtra
from spaces.trial_config import TrialConfig
from trainables.data.addition import NOTHING, Addition
from trainables.parts import Parts

if TYPE_CHECKING:
    from trainables.training.context import TrainingContext


@dataclass(frozen=True, kw_only=True, eq=False)
class ExtraImages:
    """Labelled images from elsewhere.

    Attributes:
        images: Their names, in the order of their table.
        labels: int64 (n,), indices into the contest's classes.
    """

    images: tuple[str, ...]
    labels: NDArray[np.int64]

    @property
    def digest(self) -> str:
        """Identity of names and labels."""
        return digest([list(self.images), self.labels.tolist()])

    def write(self, folder: Path) -> Path:
        """Writes ``extra-<digest>.csv`` into ``folder`` and returns its path."""
        path = folder / f"extra-{self.digest}.csv"
        if not path.exists():
            table = pd.DataFrame({"image": self.images, "label": self.labels})
            write_csv_table(table, path)
        return path

    @staticmethod
    def read(path: Path) -> ExtraImages:
        """Reads what `write` wrote.

        Raises:
            InputError: If it is missing, or its contents do not match the digest in its name.
        """
        try:
            table = pd.read_csv(path, dtype={"image": str}, keep_default_na=False)
            labels = table["label"].to_numpy(np.int64)
            found = ExtraImages(images=tuple(table["image"]), labels=labels)
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{path} does not hold the extra images: {error}") from error
        if path.name != f"extra-{found.digest}.csv":
            raise InputError(f"{path} was changed: its contents have the digest {found.digest}")
        return found


Take = Callable[[TrialConfig, "TrainingContext"], Addition]
"""From configuration and context to the extra images that are trained on."""


def _none(config: TrialConfig, context: TrainingContext) -> Addition:
    return NOTHING


def _all(config: TrialConfig, context: TrainingContext) -> Addition:
    settings, extra, task = config.extra, context.extra, context.task
    assert isinstance(settings, EveryExtra)
    if extra is None:
        raise InputError("extra=all: there are no extra images; data.extra= names their table")
    return Addition(
        rows=context.extra_rows,
        targets=settings.extra_weight * task.targets(extra.labels, len(context.classes)),
        strata=extra.labels,
        told={"train/extra_images": float(len(extra.images))},
    )


EXTRAS: Parts[Take] = Parts("extra", {"none": _none, "all": _all})
"""Which extra images a training learns from, by name; a new one is a function and a line here."""
