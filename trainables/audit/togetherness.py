"""What names and times of files say of groups that were made from pictures alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BURST = 60.0
"""Seconds within which the next picture belongs to the same burst."""

KNOWN = 0.5
"""Share of the images whose time has to be known."""


@dataclass(frozen=True, kw_only=True)
class Together:
    """How far groups agree with something else that images share.

    Attributes:
        what: Two images may have in common.
        within: Share of the pairs within groups that have it.
        anyway: Share of all pairs.
    """

    what: str
    within: float
    anyway: float

    def __str__(self) -> str:
        return f"{self.within:.0%} of pairs within groups {self.what} ({self.anyway:.1%} of all)"


def together(
    images: Sequence[str], taken: Sequence[str], groups: NDArray[np.str_]
) -> Iterator[Together]:
    """What speaks for groups, or against them, beside the pictures.

    Args:
        images: Their names.
        taken: When each was taken, as EXIF writes it; empty where that is unknown.
        groups: str (n,).
    """
    stems = pd.Series([stem(name) for name in images])
    if 1 < stems.nunique() < len(stems):
        yield _agreement("have one stem of file name", stems, groups)
    moments = pd.to_datetime(pd.Series(taken), format="%Y:%m:%d %H:%M:%S", errors="coerce")
    known = moments.notna().to_numpy()
    if known.mean() >= KNOWN:
        bursts = burst(moments[known])
        if bursts.nunique() > 1:
            yield _agreement("were taken in one burst", bursts, groups[known])


def stem(name: str) -> str:
    """A file's name with its folder, without extension and the counter at its end."""
    path = PurePath(name)
    return str(path.parent / re.sub(r"[\W_]*\d*[\W_]*$", "", path.stem))


def burst(moments: pd.Series) -> pd.Series:
    """Numbers images so that those with less than `BURST` from one to the next have the same."""
    order = moments.sort_values(kind="stable")
    later = order.diff().dt.total_seconds() > BURST
    number: pd.Series = later.cumsum()
    return number.reindex(moments.index)


def _agreement(what: str, shared: pd.Series, groups: NDArray[np.str_]) -> Together:
    table = pd.DataFrame({"shared": shared.to_numpy(), "group": groups})
    among = _pairs(table.value_counts(["group", "shared"]))
    return Together(
        what=what,
        within=among / max(1.0, _pairs(table["group"].value_counts())),
        anyway=_pairs(table["shared"].value_counts()) / max(1.0, _pairs(pd.Series([len(table)]))),
    )


def _pairs(counts: pd.Series) -> float:
    """Pairs of images of the same kind, from the number of images of each kind."""
    many = counts.to_numpy(float)
    return float((many * (many - 1) / 2).sum())
