"""Whether a hold-out's images have others alike among those trained on, as an audit found them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from results.records.labelled_images import LabelledImages

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
    def of_fold(proposed: Mapping[str, str], file: Path, folds_file: Path, fold: int) -> Leak:
        """Of a fold that models were not trained on.

        Args:
            proposed: Groups by image.
            file: Where they are from.
            folds_file: ``folds-<digest>.csv``.
            fold: The fold.
        """
        folds = LabelledImages.fold_of_images(folds_file)
        placed = [(proposed[i], where) for i, where in folds.items() if i in proposed]
        trained = {group for group, where in placed if where != fold}
        ours = [group for group, where in placed if where == fold]
        alike = sum(group in trained for group in ours)
        return Leak(held_out=len(ours), alike=alike, groups=file)
