"""Labels that may be words for a missing one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

import numpy as np

from trainables.audit.finding import Finding, Place
from trainables.data.contest import Contest

WORDS = ("NA", "N/A", "n/a", "None", "NULL", "null")
"""What programs write where a value is missing and classes may be called as well."""


def missing_labels(contest: Contest) -> Iterator[Finding]:
    """A finding for every class that is called by such a word, unless somebody means it: it is a
    folder's name, or the classes are named."""
    if contest.truth is not None or contest.named:
        return
    for index, name in enumerate(contest.classes):
        rows = np.flatnonzero(contest.labels == index).tolist()
        if name not in WORDS or PurePath(contest.train_images[rows[0]]).parent.name == name:
            continue
        yield Finding(
            name="labels that may be missing",
            severity="warning",
            what=f"{len(rows):,} training images have the label {name!r}, the first in row "
            f"{rows[0] + 2} of their table, as programs write a missing value",
            advice="take them out unless a class is called so; data.classes= with the names of all "
            "classes says that it is",
            places=tuple(Place(row=row) for row in rows),
        )
