"""Whether a hold-out's images have others alike among those trained on, as an audit found them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from results.records.labelled_images import LabelledImages
from spaces.errors import InputError

PROPOSED = Path("audit/groups.csv")
"""Groups that search.audit proposes, within a competition's folder: image and group."""


@dataclass(frozen=True, kw_only=True)
class Leak:
    """How many held-out images have others of their group among the training images.

    Attributes:
        held_out: Images of the fold that the audit looked at.
        alike: Of these, those with others of their group in other folds.
        groups: The file that proposes the groups.
    """

    held_out: int
    alike: int
    groups: Path

    @staticmethod
    def of_fold(competition: Path, folds_file: Path, fold: int) -> Leak | None:
        """Of a fold that models were not trained on; None where no groups were proposed.

        Args:
            competition: The competition's folder.
            folds_file: ``folds-<digest>.csv``.
            fold: The fold.

        Raises:
            InputError: If the file of groups has not the columns that it should have.
        """
        file = competition / PROPOSED
        if not file.exists():
            return None
        table = pd.read_csv(file, dtype=str)
        missing = {"image", "group"} - set(table)
        if missing:
            raise InputError(f"{file}: column {min(missing)!r} is missing; search.audit writes it")
        groups = dict(zip(table["image"], table["group"], strict=True))
        known = LabelledImages.fold_of_images(folds_file)
        trained = {groups[i] for i, where in known.items() if where != fold and i in groups}
        ours = [groups[i] for i, where in known.items() if where == fold and i in groups]
        alike = int(np.sum([group in trained for group in ours]))
        return Leak(held_out=len(ours), alike=alike, groups=file)
