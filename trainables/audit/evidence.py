"""All that the checks of an audit look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trainables.audit.grouping import Proposal
from trainables.audit.looks import Looks
from trainables.audit.neighbours import near_duplicates
from trainables.audit.same_files import other_files, same_files
from trainables.audit.shift import Shift, measure_shift
from trainables.audit.togetherness import Together, together
from trainables.data.contest import Contest
from trainables.data.folds import Folds


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """What was read of a contest.

    Attributes:
        contest: Its tables.
        looks: At every image, training first.
        folds: The folds of a search, or None where none can be made.
        no_folds: Why not.
        proposal: Groups that nobody named; None where there are no test images or no folds.
    """

    contest: Contest
    looks: Looks
    folds: Folds | None
    no_folds: str = ""
    proposal: Proposal | None = None

    @property
    def trained(self) -> int:
        """Number of training images, which are the first rows."""
        return len(self.contest.train_images)

    @property
    def groups(self) -> NDArray[np.str_] | None:
        """Groups of the training images, str (n,): those with names, or the proposed ones."""
        if self.contest.groups is not None or self.proposal is None:
            return self.contest.groups
        return self.proposal.groups

    @cached_property
    def same(self) -> NDArray[np.int64]:
        """Pairs of rows of the same file, each with the first one of it, (pairs, 2)."""
        digests = self.looks.table["sha256"].tolist()
        for row in np.flatnonzero(~self.looks.readable):  # such a file is like no other
            digests[row] = str(row)
        return same_files(digests)

    @cached_property
    def near(self) -> NDArray[np.int64]:
        """Pairs of rows that are nearly the same picture but not the same file, (pairs, 2)."""
        looks = self.looks
        pairs = near_duplicates(looks.fingerprints, np.flatnonzero(looks.readable))
        return other_files(pairs, looks.table["sha256"].tolist())

    @cached_property
    def hints(self) -> tuple[Together, ...]:
        """What names and times of files say of the groups; empty without groups."""
        if self.groups is None:
            return ()
        taken = self.looks.table["taken"].fillna("")[: self.trained]
        return tuple(together(self.contest.train_images, taken.tolist(), self.groups))

    @cached_property
    def shift(self) -> Shift | None:
        """How far test images can be told from training images; None with hardly any."""
        return measure_shift(self.looks)
