"""Classes that are rare, badly split, or perhaps the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from trainables.audit.class_names import slips
from trainables.audit.evidence import Evidence
from trainables.audit.finding import Finding, Place
from trainables.audit.missing_labels import missing_labels

SHOWN = 12
"""Classes that are named in one finding."""

SLIPS = 0.25
"""Most images of a class that may be another one mistyped, in shares of that one's."""


def unsure(evidence: Evidence) -> Iterator[Finding]:
    """Findings on labels that may be words for a missing one."""
    yield from missing_labels(evidence.contest)


def classes(evidence: Evidence) -> Iterator[Finding]:
    """Findings on the classes of the training images."""
    contest = evidence.contest
    if evidence.folds is None:
        yield Finding(
            name="no folds",
            severity="stop",
            what=evidence.no_folds,
            advice="a search cannot begin before this is settled",
        )
    shown = [contest.shows(index) for index in range(len(contest.classes))]
    counts = Counter({index: int(images.sum()) for index, images in enumerate(shown)})
    by_spelling: dict[str, list[int]] = {}
    for index, name in enumerate(contest.classes):
        spelling = "".join(c for c in name.casefold() if c.isalnum())
        by_spelling.setdefault(spelling or name, []).append(index)
    same = [pair for found in by_spelling.values() for pair in combinations(found, 2)]
    if same:
        pairs = [f"{contest.classes[a]!r} and {contest.classes[b]!r}" for a, b in same]
        fewer = [min(pair, key=lambda i: counts[i]) for pair in same]
        yield Finding(
            name="class names alike",
            severity="warning",
            what=f"classes differ by case or signs only: {_some(pairs)}",
            advice="give them one name if they are one class",
            places=_rows_of(fewer, shown, contest.classes),
        )
    if evidence.folds is None:
        return
    folds = evidence.folds.count
    rare = sorted((i for i in counts if counts[i] < 2 * folds), key=lambda i: counts[i])
    if rare:
        names = [f"{contest.classes[i]!r} ({counts[i]})" for i in rare]
        yield Finding(
            name="rare classes",
            severity="note",
            what=f"classes with one or two images per fold: {_some(names)}",
            advice="expect wide intervals; sampling=balanced or loss=focal may help",
            places=_rows_of(rare, shown, contest.classes),
        )
    missing = [
        (i, k)
        for i in counts
        for k in range(folds)
        if not (shown[i] & (evidence.folds.fold == k)).any()
    ]
    if missing:
        names = [f"{contest.classes[i]!r} in fold {k}" for i, k in missing]
        yield Finding(
            name="classes missing in folds",
            severity="warning",
            what=f"no image of {_some(names)}: groups are larger than folds can share out",
            advice="use fewer folds (holdout.folds=), or smaller groups",
            places=_rows_of(dict.fromkeys(i for i, _ in missing), shown, contest.classes),
        )


def mistyped(evidence: Evidence) -> Iterator[Finding]:
    """A finding on classes that are rare and named like a frequent one but for a slip."""
    contest = evidence.contest
    shown = [contest.shows(index) for index in range(len(contest.classes))]
    counts = Counter({index: int(images.sum()) for index, images in enumerate(shown)})
    ordered = [sorted(pair, key=lambda i: counts[i]) for pair in slips(contest.classes)]
    pairs = [(few, many) for few, many in ordered if counts[few] <= SLIPS * counts[many]]
    if not pairs:
        return
    told = [
        f"{contest.classes[few]!r} ({counts[few]}) and {contest.classes[many]!r} ({counts[many]})"
        for few, many in pairs
    ]
    yield Finding(
        name="class names mistyped",
        severity="warning",
        what=f"classes whose names differ by one slip of the hand: {_some(told)}",
        advice="give them one name if they are one class",
        places=_rows_of([few for few, _ in pairs], shown, contest.classes),
    )


def _rows_of(
    indices: Iterable[int], shown: Sequence[NDArray[np.bool_]], names: Sequence[str]
) -> tuple[Place, ...]:
    """The images of some classes."""
    return tuple(
        Place(row=int(row), detail=names[i]) for i in indices for row in np.flatnonzero(shown[i])
    )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
