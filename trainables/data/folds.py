"""Folds: which training image is held out when, stored, hashed and checked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spaces.csv_table import write_csv_table
from spaces.digest import digest
from spaces.errors import InputError
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
            write_csv_table(table, path)
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


def make_folds(
    contest: Contest, count: int, seed: int = 0, held: NDArray[np.bool_] | None = None
) -> Folds:
    """Assigns folds: the contest's own, or stratified by class and by whole groups.

    Where there are groups, which cannot be shared out evenly, the best of `TRIES` seeds is taken.

    Args:
        contest: Labels, groups, and a team's own folds or hold-out.
        count: Number of folds.
        seed: Of the shuffling.
        held: bool (n,), what fold 0 holds out; None for the contest's own, or a stratified share.

    Raises:
        InputError: If a class has fewer images, or groups, than there are folds, or images in only
            one of the contest's own folds, or on one side of its own hold-out.
    """
    if count < 2:
        raise InputError(f"holdout.folds={count}: at least 2 folds are needed")
    strata = contest.labels
    held = contest.held if held is None else held
    if contest.fold is not None:
        fold = contest.fold
        _check_seen(contest, fold, "data.fold")
    elif held is not None:
        for index, name in enumerate(contest.classes):
            if not held[contest.shows(index)].any():
                raise InputError(f"holdout: no image of class {name!r} is held out")
        fold = np.where(held, 0, 1)
        fold[~held] += _shared_out(contest, strata, np.flatnonzero(~held), count - 1, seed)
        _check_seen(contest, fold, "holdout")
    else:
        fold = _shared_out(contest, strata, np.arange(len(strata)), count, seed)
        _check_seen(contest, fold, f"holdout.folds={count}")
    return Folds(
        images=contest.train_images, labels=contest.labels, fold=fold, groups=contest.groups
    )


def _check_seen(contest: Contest, fold: NDArray[np.int64], place: str) -> None:
    """Raises InputError for a class that occurs in one fold only."""
    for index, name in enumerate(contest.classes):
        if len(set(fold[contest.shows(index)].tolist())) < 2:
            raise InputError(
                f"{place}: class {name!r} has images in one fold only: whoever holds it out "
                "never sees the class"
            )


TRIES = 5
"""Ways to share groups out of which the most even one is taken."""

STRIDE = 1_000_003
"""Between their seeds, so that those of neighbouring seeds differ."""


def assign(
    strata: NDArray[np.int64], groups: NDArray[np.str_] | None, count: int, seed: int
) -> NDArray[np.int64]:
    """Shares images out to folds, stratified and, where there are groups, by whole groups.

    Args:
        strata: int (n,).
        groups: str (n,), or None.
        count: Number of folds.
        seed: Of the shuffling.

    Returns:
        int64 (n,), the fold of each image.
    """
    # Here, since trainers read folds and make none, and this import takes them a second.
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    splitter = (
        StratifiedKFold(count, shuffle=True, random_state=seed)
        if groups is None
        else StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    )
    fold = np.zeros(len(strata), np.int64)
    for index, (_, held_out) in enumerate(splitter.split(strata, strata, groups)):
        fold[held_out] = index
    return fold


def _unevenness(strata: NDArray[np.int64], fold: NDArray[np.int64]) -> tuple[int, float]:
    """Classes that some fold lacks, and how far shares of classes lie from even ones."""
    counts = np.zeros((int(strata.max()) + 1, int(fold.max()) + 1))
    np.add.at(counts, (strata, fold), 1)
    held = counts[counts.sum(axis=1) > 0]
    return int((held == 0).sum()), float((held / held.sum(axis=1, keepdims=True)).std())


def _shared_out(
    contest: Contest, strata: NDArray[np.int64], rows: NDArray[np.int64], count: int, seed: int
) -> NDArray[np.int64]:
    """The folds of some rows, the most even of several ways where there are groups."""
    groups = None if contest.groups is None else contest.groups[rows]
    strata = strata[rows]
    _check_shares(contest, strata, groups, count)
    if count == 1:
        return np.zeros(len(rows), np.int64)
    tries = TRIES if groups is not None else 1
    found = [assign(strata, groups, count, seed + t * STRIDE) for t in range(tries)]
    return min(found, key=lambda f: _unevenness(strata, f))


def _check_shares(
    contest: Contest, strata: NDArray[np.int64], groups: NDArray[np.str_] | None, count: int
) -> None:
    whole = len(strata) == len(contest.labels)
    asked = f"holdout.folds={count if whole else count + 1}"
    where = "" if whole else " besides those that are held out"
    counts = Counter(strata.tolist())
    for index, name in enumerate(contest.classes if contest.truth is None else ()):
        if (held := counts[index]) < count:
            images = "1 image" if held == 1 else f"{held} images"
            advice = "drop the class" if held < 2 else "use fewer folds or drop the class"
            raise InputError(f"{asked}: class {name!r} has only {images}{where}; {advice}")
    if groups is None:
        return
    if len(set(groups.tolist())) < count:
        raise InputError(f"{asked}: there are only {len(set(groups.tolist()))} groups{where}")
    for index, name in enumerate(contest.classes if contest.truth is None else ()):
        among = len(set(groups[strata == index].tolist()))
        if among < count:
            few = "one group" if among == 1 else f"{among} groups"
            raise InputError(
                f"{asked}: class {name!r} has images of only {few}{where}; "
                "use fewer folds or drop the class"
            )
