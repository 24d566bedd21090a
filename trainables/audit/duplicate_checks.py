"""The same picture twice: on both sides of a split, or with two labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """How pictures are the same.

    Attributes:
        name: A word or two for one of them.
        how: What one is to the other, in a sentence.
        certain: Whether they are one file, so that no look is needed.
    """

    name: str
    how: str
    certain: bool

    @property
    def severity(self) -> str:
        """Of what lets a score speak of images that were trained on."""
        return "stop" if self.certain else "warning"

    @property
    def acceptance(self) -> str:
        """How a search goes on all the same, to be said after the advice."""
        return "; accept=[duplicates] searches all the same" if self.certain else ""


ONE_FILE = Likeness(name="identical file", how="the same file", certain=True)

ONE_PICTURE = Likeness(name="near duplicate", how="nearly the same", certain=False)


def identical(evidence: Evidence) -> Iterator[Finding]:
    """Findings on files that are byte for byte the same."""
    yield from _told(evidence.contest, evidence.folds, evidence.same, ONE_FILE)


def identical_files(
    contest: Contest, folds: Folds | None, digests: Sequence[str]
) -> Iterator[Finding]:
    """Findings on files that are byte for byte the same.

    Args:
        contest: Its tables.
        folds: Its split, where there is one.
        digests: Of the files of all images, training first.
    """
    yield from _told(contest, folds, same_files(digests), ONE_FILE)


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
    yield from _told(contest, folds, pairs, ONE_PICTURE)


def crossing(contest: Contest, folds: Folds, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of some pairs of rows that a job has to know of: of unlike folds or labels, or with an
    image that is no training image; but none within the test.

    Of images that are much alike, as frames of a film are, all pairs would be millions.
    """
    trained, own = len(contest.train_images), contest.own
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
    contest: Contest, folds: Folds | None, pairs: NDArray[np.int64], likeness: Likeness
) -> Iterator[Finding]:
    """Findings on pairs of rows, int64 (pairs, 2), the smaller row first."""
    within = pairs[pairs[:, 1] < len(contest.train_images)]
    yield from _among_training(contest, folds, within, likeness)
    yield from _with_others(contest, pairs, likeness)


def _among_training(
    contest: Contest, folds: Folds | None, pairs: NDArray[np.int64], likeness: Likeness
) -> Iterator[Finding]:
    """Of training images: with two labels, on both sides of a split, or neither."""
    name, how = likeness.name, likeness.how
    label = "label" if contest.truth is None else "mask"
    unlike = _contradicting(contest, pairs, certain=likeness.certain)
    if unlike.any():
        correction = " (data.corrections=)" if contest.truth is None else ""
        yield Finding(
            name=f"{name}s with two {label}s",
            severity="warning",
            what=f"pairs of training images that are {how} with unlike {label}s: "
            f"{int(unlike.sum()):,}",
            advice=f"correct one {label} of each pair{correction}, or take both out",
            places=_places(contest, pairs[unlike]),
        )
    apart, where = np.zeros(len(pairs), bool), "in the training table"
    if folds is not None:
        apart, where = folds.fold[pairs[:, 0]] != folds.fold[pairs[:, 1]], "in one fold"
    if apart.any():
        yield Finding(
            name=f"{name}s across folds",
            severity=likeness.severity,
            what=f"pairs of training images that are {how} and stand in unlike folds, so that "
            f"validation images are trained on: {int(apart.sum()):,}",
            advice="take all but one out, or give them one group (data.group=)"
            + likeness.acceptance,
            places=_places(contest, pairs[apart]),
        )
    harmless = ~unlike & ~apart
    if harmless.any():
        yield Finding(
            name=f"{name}s {where}",
            severity="note",
            what=f"pairs of training images {where} that are {how}: {int(harmless.sum()):,}",
            advice="each of them counts twice, in the loss and in scores",
            places=_places(contest, pairs[harmless]),
        )


def _with_others(
    contest: Contest, pairs: NDArray[np.int64], likeness: Likeness
) -> Iterator[Finding]:
    """Of test images and extra images, with each other or with training images."""
    name, how = likeness.name, likeness.how
    trained, own = len(contest.train_images), contest.own
    one, other = pairs.T
    tests = pairs[(one >= trained) & (other < own)]
    if len(tests):
        yield Finding(
            name=f"{name}s in the test",
            severity="note",
            what=f"pairs of test images that are {how}: {len(tests):,}",
            advice="each of them counts twice in the test's score",
            places=_places(contest, tests),
        )
    extra = pairs[(one < own) & (other >= own)]
    if len(extra):
        yield Finding(
            name=f"{name}s of extra images",
            severity=likeness.severity,
            what=f"images of data.extra that are {how} as one of the contest's, which is held out "
            f"or to be predicted: {len(np.unique(extra[:, 1])):,}",
            advice="take them out of data.extra" + likeness.acceptance,
            places=_places(contest, extra),
        )
    across = pairs[(one < trained) & (other >= trained) & (other < own)]
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
    trained, own = len(contest.train_images), contest.own

    def label(row: int) -> str:
        if row >= trained:
            return "test" if row < own else "extra"
        return str(contest.classes[contest.labels[row]]) if contest.truth is None else "training"

    return tuple(
        Place(row=a, other=b, detail=f"{label(a)} / {label(b)}") for a, b in pairs.tolist()
    )
