"""The same picture twice: on both sides of a split, or with two labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trainables.audit.finding import Finding, Place
from trainables.audit.same_files import same_files
from trainables.data.contest import Contest
from trainables.data.folds import Folds

if TYPE_CHECKING:  # every search asks for identical files, and needs none of the rest
    from trainables.audit.evidence import Evidence

UNLIKE = 0.1
"""Share of the pixels in which masks of the same picture may differ: outlines always do."""


def identical(evidence: Evidence) -> Iterator[Finding]:
    """Findings on files that are byte for byte the same."""
    yield from _same(evidence.contest, evidence.folds, evidence.same)


def identical_files(
    contest: Contest, folds: Folds | None, digests: Sequence[str]
) -> Iterator[Finding]:
    """Findings on files that are byte for byte the same.

    Args:
        contest: Its tables.
        folds: Its split, where there is one.
        digests: Of the files of all images, training first.
    """
    yield from _same(contest, folds, same_files(digests))


def _same(contest: Contest, folds: Folds | None, pairs: NDArray[np.int64]) -> Iterator[Finding]:
    yield from _told(contest, folds, pairs, "identical file", "the same file", certain=True)


def nearly_identical(evidence: Evidence) -> Iterator[Finding]:
    """Findings on pictures that differ by a resizing or a compression."""
    yield from near_pictures(evidence.contest, evidence.folds, evidence.near)


def near_pictures(
    contest: Contest, folds: Folds | None, pairs: NDArray[np.int64]
) -> Iterator[Finding]:
    """Findings on pictures that differ by a resizing or a compression.

    Args:
        contest: Its tables.
        folds: Its split, where there is one.
        pairs: Rows of such, int64 (pairs, 2), training first.
    """
    yield from _told(contest, folds, pairs, "near duplicate", "nearly the same", certain=False)


def _told(
    contest: Contest,
    folds: Folds | None,
    pairs: NDArray[np.int64],
    name: str,
    how: str,
    *,
    certain: bool,
) -> Iterator[Finding]:
    trained = len(contest.train_images)
    own = trained + len(contest.test_images)
    within = pairs[(pairs < trained).all(axis=1)]
    across = pairs[(pairs[:, 0] < trained) & (pairs[:, 1] >= trained) & (pairs[:, 1] < own)]
    extra = pairs[(pairs[:, 0] < own) & (pairs[:, 1] >= own)]
    unlike = [_contradict(contest, a, b, certain=certain) for a, b in within.tolist()]
    contradicting = within[np.array(unlike, bool)]
    if len(contradicting):
        yield Finding(
            name=f"{name}s with two {'labels' if contest.truth is None else 'masks'}",
            severity="warning",
            what=f"pairs of training images that are {how} with unlike "
            f"{'labels' if contest.truth is None else 'masks'}: "
            f"{len(contradicting):,}",
            advice="correct one label of each pair (data.corrections=), or take both out"
            if contest.truth is None
            else "correct one mask of each pair, or take both out",
            places=_places(contest, contradicting),
        )
    if folds is not None and len(within):
        split = within[folds.fold[within[:, 0]] != folds.fold[within[:, 1]]]
        if len(split):
            yield Finding(
                name=f"{name}s across folds",
                severity="stop" if certain else "warning",
                what=f"pairs of training images that are {how} and stand in unlike folds, so that "
                f"validation images are trained on: {len(split):,}",
                advice="take all but one out, or give them one group (data.group=)"
                + ("; accept=[duplicates] searches all the same" if certain else ""),
                places=_places(contest, split),
            )
    alike = ~np.array(unlike, bool)
    if folds is not None:
        alike &= folds.fold[within[:, 0]] == folds.fold[within[:, 1]]
    if alike.any():
        where = "in one fold" if folds is not None else "in the training table"
        yield Finding(
            name=f"{name}s {where}",
            severity="note",
            what=f"pairs of training images {where} that are {how}: {int(alike.sum()):,}",
            advice="each of them counts twice, in the loss and in scores",
            places=_places(contest, within[alike]),
        )
    tests = pairs[(pairs >= trained).all(axis=1) & (pairs < own).all(axis=1)]
    if len(tests):
        yield Finding(
            name=f"{name}s in the test",
            severity="note",
            what=f"pairs of test images that are {how}: {len(tests):,}",
            advice="each of them counts twice in the test's score",
            places=_places(contest, tests),
        )
    if len(extra):
        yield Finding(
            name=f"{name}s of extra images",
            severity="stop" if certain else "warning",
            what=f"images of data.extra that are {how} as one of the contest's, which is held out "
            f"or to be predicted: {len(np.unique(extra[:, 1])):,}",
            advice="take them out of data.extra"
            + ("; accept=[duplicates] searches all the same" if certain else ""),
            places=_places(contest, extra),
        )
    if len(across):
        yield Finding(
            name=f"{name}s of test images",
            severity="warning",
            what=f"test images that are {how} as a training image: "
            f"{len(np.unique(across[:, 1])):,}",
            advice="ask the organisers; scores of these say nothing of new images",
            places=_places(contest, across),
        )


def _contradict(contest: Contest, a: int, b: int, *, certain: bool) -> bool:
    """Whether two training images have unlike labels, or masks.

    Frames of a film that are nearly the same may well have unlike masks.
    """
    if contest.truth is None:
        return bool(contest.labels[a] != contest.labels[b])
    if not certain:
        return False
    one, other = contest.truth.masks[a], contest.truth.masks[b]
    return one.shape == other.shape and float((one != other).mean()) > UNLIKE


def _places(contest: Contest, pairs: NDArray[np.int64]) -> tuple[Place, ...]:
    trained = len(contest.train_images)
    own = trained + len(contest.test_images)

    def label(row: int) -> str:
        if row >= trained:
            return "test" if row < own else "extra"
        return str(contest.classes[contest.labels[row]]) if contest.truth is None else "training"

    return tuple(
        Place(row=a, other=b, detail=f"{label(a)} / {label(b)}") for a, b in pairs.tolist()
    )
