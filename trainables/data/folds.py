"""Folds: which training image is held out when, stored, hashed and checked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from results.tasks.tasks import task_of
from spaces.digest import digest
from spaces.errors import InputError
from spaces.files import whole_file
from trainables.data.contest import Contest


@dataclass(frozen=True, kw_only=True, eq=False)
class Folds:
    """The fold in which each training image is held out; the hold-out of a search is fold 0.

    Attributes:
        images: Image names in the order of the training table.
        labels: int64 (n,), class indices.
        fold: int64 (n,), from 0.
        groups: str (n,), or None.
    """

    images: tuple[str, ...]
    labels: NDArray[np.int64]
    fold: NDArray[np.int64]
    groups: NDArray[np.str_] | None = None

    def __post_init__(self) -> None:
        if self.groups is not None:
            sides: dict[str, int] = {}
            for group, fold in zip(self.groups, self.fold, strict=True):
                if sides.setdefault(str(group), int(fold)) != fold:
                    raise InputError(
                        f"group {str(group)!r} stands in folds {sides[str(group)]} and {fold}"
                    )

    @property
    def count(self) -> int:
        """Number of folds."""
        return int(self.fold.max()) + 1

    @property
    def digest(self) -> str:
        """Identity of the assignment."""
        groups = [] if self.groups is None else self.groups.tolist()
        return digest([list(self.images), self.labels.tolist(), self.fold.tolist(), groups])

    def held_out(self, fold: int) -> NDArray[np.int64]:
        """Rows that ``fold`` holds out, in order."""
        return np.flatnonzero(self.fold == fold)

    def trained_on(self, fold: int) -> NDArray[np.int64]:
        """Rows that a training of ``fold`` sees, in order."""
        return np.flatnonzero(self.fold != fold)

    def write(self, folder: Path) -> Path:
        """Writes ``folds-<digest>.csv`` into ``folder`` and returns its path."""
        path = folder / f"folds-{self.digest}.csv"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            table = pd.DataFrame({"image": self.images, "label": self.labels, "fold": self.fold})
            if self.groups is not None:
                table["group"] = self.groups
            with whole_file(path) as temporary:
                table.to_csv(temporary, index=False)
        return path

    @staticmethod
    def read(path: Path) -> Folds:
        """Reads a stored assignment.

        Raises:
            InputError: If a group stands in two folds or the contents do not match the digest
                in the file's name.
        """
        table = pd.read_csv(path, dtype={"image": str, "group": str}, keep_default_na=False)
        folds = Folds(
            images=tuple(table["image"]),
            labels=table["label"].to_numpy(np.int64),
            fold=table["fold"].to_numpy(np.int64),
            groups=table["group"].to_numpy(np.str_) if "group" in table else None,
        )
        if path.name != f"folds-{folds.digest}.csv":
            raise InputError(f"{path} was changed: its contents have the digest {folds.digest}")
        return folds


def make_folds(contest: Contest, count: int, seed: int = 0) -> Folds:
    """Assigns folds, stratified by class and, where the contest has groups, by whole groups.

    Raises:
        InputError: If a class has fewer images, or groups, than there are folds.
    """
    if count < 2:
        raise InputError(f"holdout.folds={count}: at least 2 folds are needed")
    strata = task_of(contest.task).strata(contest.labels)
    counts = Counter(strata.tolist())
    for index, name in enumerate(contest.classes):
        if counts[index] < count:
            raise InputError(
                f"holdout.folds={count}: class {name!r} has only {counts[index]} images; "
                "use fewer folds or drop the class"
            )
    rows = np.zeros((len(contest.labels), 1))
    if contest.groups is None:
        splitter = StratifiedKFold(count, shuffle=True, random_state=seed)
        splits = splitter.split(rows, strata)
    else:
        groups = len(set(contest.groups.tolist()))
        if groups < count:
            raise InputError(f"holdout.folds={count}: there are only {groups} groups")
        for index, name in enumerate(contest.classes):
            among = len(set(contest.groups[strata == index].tolist()))
            if among < count:
                raise InputError(
                    f"holdout.folds={count}: class {name!r} has images of only {among} groups; "
                    "use fewer folds or drop the class"
                )
        splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
        splits = splitter.split(rows, strata, contest.groups)
    fold = np.zeros(len(contest.labels), np.int64)
    for index, (_, held_out) in enumerate(splits):
        fold[held_out] = index
    return Folds(
        images=contest.train_images, labels=contest.labels, fold=fold, groups=contest.groups
    )
