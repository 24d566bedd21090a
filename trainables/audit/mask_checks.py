"""Masks that are empty, of another size than their images, or beside their edges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from results.masks.planes import Pixels
from results.masks.truth import Truth
from trainables.audit.evidence import Evidence
from trainables.audit.finding import Finding, Place
from trainables.audit.outlines import FEWEST, Move, best_move, outline_length
from trainables.portable.images import decode

SCARCE = 0.001
"""Share of the pixels below which a class is told."""

OUTLINED = 200
"""Images whose outlines are compared with edges, spread over the table."""

TELLING = 10
"""Images with outlines from which on something is said of all of them."""


def masks(evidence: Evidence) -> Iterator[Finding]:
    """Findings on the masks of the training images."""
    if evidence.contest.truth is None:
        return
    yield from _sizes(evidence)
    yield from _empty(evidence)
    yield from _scarce(evidence)
    yield from _order(evidence)
    yield from _outlines(evidence)


def _sizes(evidence: Evidence) -> Iterator[Finding]:
    truth, table = evidence.contest.truth, evidence.looks.table
    assert truth is not None
    places = []
    for row in _fitting(evidence, fit=False):
        height, width = truth.masks.shapes[row].tolist()
        line = table.iloc[row]
        detail = f"mask {width} x {height}, image {line['width']:.0f} x {line['height']:.0f}"
        places.append(Place(row=row, detail=detail))
    if places:
        yield Finding(
            name="masks of another size",
            severity="stop",
            what=f"training images whose mask has another size: {len(places):,}",
            advice="make them again, or take them out; resizing masks by hand moves their outlines",
            places=tuple(places),
        )


def _empty(evidence: Evidence) -> Iterator[Finding]:
    truth = evidence.contest.truth
    assert truth is not None
    pixels, count = truth.pixels, len(truth.images)
    unknown = np.flatnonzero(truth.known == 0)
    if len(unknown):
        yield Finding(
            name="masks without any class",
            severity="warning",
            what=f"training images of whose pixels nothing is known: {len(unknown):,}",
            advice="take them out of the training table; they may be test images",
            places=tuple(Place(row=int(row)) for row in unknown),
        )
    if not truth.form.may_be_empty:
        return
    shown = pixels[:, truth.form.judged].sum(axis=1)
    empty = np.flatnonzero((shown == 0) & (truth.known > 0))
    nothing = "" if truth.background is None else f" but {truth.classes[truth.background]}"
    if len(empty):
        yield Finding(
            name="empty masks",
            severity="note",
            what=f"training images with nothing{nothing}: {len(empty):,} of {count:,} "
            f"({len(empty) / count:.0%})",
            advice="look whether they are empty or were forgotten; crops can be asked to show "
            "something",
            places=tuple(Place(row=int(row)) for row in empty),
            masked=True,
        )


def _scarce(evidence: Evidence) -> Iterator[Finding]:
    truth = evidence.contest.truth
    assert truth is not None
    shares = truth.pixels.sum(axis=0) / max(1, truth.known.sum())
    few = [index for index in np.argsort(shares).tolist() if shares[index] < SCARCE]
    if few:
        told = ", ".join(f"{truth.classes[index]!r} ({shares[index]:.3%})" for index in few)
        yield Finding(
            name="classes of few pixels",
            severity="note",
            what=f"classes with less than {SCARCE:.1%} of the pixels: {told}",
            advice="a loss that counts classes, or crops that show them, may help; resizing may "
            "wipe them out",
            places=tuple(
                Place(row=int(truth.pixels[:, index].argmax()), detail=truth.classes[index])
                for index in few
            ),
            masked=True,
        )


def _order(evidence: Evidence) -> Iterator[Finding]:
    truth = evidence.contest.truth
    assert truth is not None
    if not truth.written.order:
        return
    rows = _spread(np.arange(len(truth.images)))
    lengths = [(row, outline_length(truth.masks[row])) for row in rows.tolist()]
    told = [(row, length) for row, length in lengths if length >= FEWEST]
    torn = [row for row, length in told if outline_length(_reordered(truth, row)) < length / 2]
    if len(told) >= TELLING and len(torn) > len(told) / 2:
        other = "row" if truth.written.order == "column" else "column"
        yield Finding(
            name="run lengths torn",
            severity="warning",
            what=f"masks whose outlines are less than half as long if run lengths are read the "
            f"other way: {len(torn):,} of {len(told):,}",
            advice=f"try data.run_lengths={other}",
            places=tuple(Place(row=row) for row in torn),
            masked=True,
        )


def _reordered(truth: Truth, row: int) -> Pixels:
    """A mask as it would be if its run lengths were numbered the other way."""
    mask = truth.masks[row]
    if truth.written.order == "column":
        return mask.ravel(order="F").reshape(mask.shape)
    return mask.ravel().reshape(mask.shape, order="F")


def _outlines(evidence: Evidence) -> Iterator[Finding]:
    contest = evidence.contest
    truth = contest.truth
    assert truth is not None
    rows = _spread(np.array(_fitting(evidence, fit=True), np.int64))
    background = truth.background or 0
    moves: dict[int, Move] = {}
    for row in rows.tolist():
        picture = decode(contest.paths[row].read_bytes())
        move = best_move(cv2.GaussianBlur(picture, (3, 3), 0), truth.masks[row], background)
        if move is not None:
            moves[row] = move
    if len(moves) < TELLING:
        return
    move, count = Counter(moves.values()).most_common(1)[0]
    if move == Move() or count <= len(moves) / 2:
        return
    yield Finding(
        name="outlines beside edges",
        severity="warning",
        what=f"masks whose outlines would lie on the strongest edges if they were moved "
        f"{move.words()}: {count:,} of {len(moves):,} with {FEWEST} pixels of outline or more",
        advice="look at them; how masks were drawn, resized or converted may have moved them, and "
        "where those of the test were not, scores of boundaries suffer",
        places=tuple(Place(row=row) for row, found in moves.items() if found == move),
        masked=True,
    )


def _spread(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Some rows from all over the table."""
    some = np.linspace(0, len(rows) - 1, min(OUTLINED, len(rows))).astype(int)
    return np.asarray(rows[some])


def _fitting(evidence: Evidence, *, fit: bool) -> list[int]:
    """Rows of readable training images whose mask has their size, or has not."""
    truth, looks = evidence.contest.truth, evidence.looks
    assert truth is not None
    sizes = looks.table[["height", "width"]].to_numpy(float)[: evidence.trained]
    same = (sizes == truth.masks.shapes).all(axis=1)
    return np.flatnonzero(looks.readable[: evidence.trained] & (same == fit)).tolist()
