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


def crossing(contest: Contest, folds: Folds, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of some pairs of rows that a job has to know of: of unlike folds or labels, or with an
    image that is no training image; but none within the test.

    Of images that are much alike, as frames of a film are, all pairs would be millions.
    """
    trained = len(contest.train_images)
    own = trained + len(contest.test_images)
    one, other = pairs.T
    within = other < trained
    tests = (one >= trained) & (other < own)
    a, b = np.where(within, one, 0), np.where(within, other, 0)
    apart = folds.fold[a] != folds.fold[b]
    if contest.truth is None:
        apart |= contest.labels[a] != contest.labels[b]
    found: NDArray[np.int64] = pairs[np.where(within, apart, ~tests)]
    return found


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
    unlike = _contradicting(contest, within, certain=certain)
    contradicting = within[unlike]
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
    alike = ~unlike
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


def _contradicting(
    contest: Contest, pairs: NDArray[np.int64], *, certain: bool
) -> NDArray[np.bool_]:
    """Whether the training images of each pair have unlike labels, or masks, (pairs,).

    Frames of a film that are nearly the same may well have unlike masks.
    """
    truth = contest.truth
    if truth is None:
        return np.asarray(contest.labels[pairs[:, 0]] != contest.labels[pairs[:, 1]])
    if not certain:
        return np.zeros(len(pairs), bool)
    masks = ((truth.masks[a], truth.masks[b]) for a, b in pairs.tolist())
    unlike = [a.shape == b.shape and float((a != b).mean()) > UNLIKE for a, b in masks]
    return np.array(unlike, bool)


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
