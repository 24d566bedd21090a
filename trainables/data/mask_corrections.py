"""What a person says of masks that may be wrong: images to leave out, and regions to correct."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from results.masks.class_sets import ClassSets, answers_of
from results.masks.counts import VOID
from results.masks.label_map import nearest
from results.masks.planes import Pixels, Planes
from results.masks.rle import Bools, decode
from results.masks.truth import Truth
from spaces.errors import InputError, unknown
from trainables.data.corrections import Corrections
from trainables.data.tables import read_table

USE = ("yes", "no", "void", "predicted")
"""What may be made of a mask, or of a region of it: it is right; the image is left out; nothing is
known of the region; the region is what was predicted."""

COLUMNS = ("image", "use", "predicted", "region")


class Decision(NamedTuple):
    """What is said of a mask, or of a region of it.

    Attributes:
        row: Of the training table.
        use: One of `USE`.
        predicted: What the region is by models, or a person, of `Truth.answers`.
        region: Run lengths down the columns of the mask; empty for all of it.
    """

    row: int
    use: str
    predicted: str
    region: str


@dataclass(frozen=True, kw_only=True, eq=False)
class MaskCorrections(Corrections):
    """Masks of training images as a person corrected them.

    Attributes:
        decisions: All that is said, in the order of the training table.
        sizes: int64 (n, 2), height and width of the masks in pixels.
        sets: Where classes overlap, what numbers of masks stand for, as of the contest's masks, and
            then those that corrections make; empty where they exclude each other.
    """

    decisions: tuple[Decision, ...]
    sizes: NDArray[np.int64]
    sets: tuple[tuple[int, ...], ...] = ()

    @cached_property
    def _changed(self) -> dict[int, list[Decision]]:
        """Decisions that change a mask, by row, of images that are used."""
        found: dict[int, list[Decision]] = {}
        for decision in self.decisions:
            if decision.use in ("void", "predicted") and not self.left_out[decision.row]:
                found.setdefault(decision.row, []).append(decision)
        return found

    @property
    def relabelled(self) -> NDArray[np.bool_]:
        """Images with another mask, (n,)."""
        return np.isin(np.arange(len(self.images)), list(self._changed))

    @property
    def table(self) -> pd.DataFrame:
        """What is said, a row per decision."""
        rows = [(self.images[row], *said) for row, *said in self.decisions]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def corrected(self, row: int, mask: Pixels) -> Pixels:
        """A mask as it should be.

        Args:
            row: Of the training table.
            mask: Of that image, uint8 (height, width), at whatever size.
        """
        return self._corrected(row, mask, ClassSets(self.sets))

    def truth(self, given: Truth, rows: Sequence[int]) -> Truth:
        """Masks of some images as they should be.

        Args:
            given: Masks of all training images as they are given.
            rows: Of the training table.
        """
        some = given.of([self.images[row] for row in rows])
        masks = (self.corrected(row, mask) for row, mask in zip(rows, some.masks, strict=True))
        return replace(some, masks=Planes.of(masks), sets=self.sets, digest="")

    def sets_made(self, given: Truth) -> tuple[tuple[int, ...], ...]:
        """What numbers stand for once masks are corrected: what they did, and then further sets.

        Raises:
            InputError: If there are more sets than numbers.
        """
        sets = ClassSets(given.sets)
        for row in sorted(self._changed):
            self._corrected(row, given.masks[row], sets)
        return tuple(tuple(sorted(classes)) for classes in sets.known)

    def _corrected(self, row: int, mask: Pixels, sets: ClassSets) -> Pixels:
        found, answers = mask, answers_of(self.classes, overlapping=bool(self.sets))
        for decision in self._changed.get(row, ()):
            inside = nearest(self._inside(decision).view(np.uint8), *mask.shape) > 0
            found = found.copy()
            if decision.use == "void":
                found[inside] = VOID
                continue
            answer = answers.index(decision.predicted)
            if self.sets:
                sets.change(found, inside, answer // 2, there=answer % 2 == 0)
            else:
                found[inside] = answer
        return found

    def _inside(self, decision: Decision) -> Bools:
        height, width = self.sizes[decision.row].tolist()
        return decode(decision.region, height, width, "column")


def read_mask_corrections(
    path: Path,
    images: Sequence[str],
    labels: NDArray[np.int64],
    truth: Truth,
    key: str = "data.corrections",
) -> MaskCorrections:
    """Reads a table with the columns ``image`` and ``use``, and maybe ``predicted`` and ``region``.

    Under ``use`` stands one of `USE`. ``yes`` means that somebody looked and found the mask right.
    Other columns are of no concern.

    Args:
        path: The table.
        images: All training images.
        labels: int64 (n,), their strata.
        truth: Their masks as given.
        key: The option that names it.

    Raises:
        InputError: For anything missing, unknown or repeated, with file and row; or if every mask
            in it is used as it is.
    """
    table = read_table(path.parent, path.name, key)
    for column in COLUMNS[:2]:
        if column not in table:
            raise unknown("column", column, map(str, table.columns), str(path))
    listed = table.reindex(columns=list(COLUMNS), fill_value="")
    row_of = {name: row for row, name in enumerate(images)}
    seen: dict[tuple[str, str, str], int] = {}
    decisions = []
    for line, cells in enumerate(listed.itertuples(index=False, name=None), start=2):
        name, use, predicted, region = (str(cell).strip() for cell in cells)
        place = f"{path}, row {line}"
        if name not in row_of:
            raise InputError(f"{place}: {name!r} is no image of the training table")
        about = name, region, _subject(predicted, truth)
        if about in seen:
            raise InputError(f"{place}: {name!r} is already listed in row {seen[about]}")
        seen[about] = line
        if use not in USE:
            raise unknown("use", use, USE, place)
        decisions.append(Decision(row_of[name], use, predicted, region))
        _check(decisions[-1], truth, place)
    decisions.sort()
    left_out = np.zeros(len(images), bool)
    left_out[[d.row for d in decisions if d.use == "no"]] = True
    found = MaskCorrections(
        classes=truth.classes,
        given=labels,
        labels=labels,
        left_out=left_out,
        looked_at=np.unique(np.array([d.row for d in decisions], np.int64)),
        images=tuple(images),
        decisions=tuple(decisions),
        sizes=truth.masks.shapes,
        sets=truth.sets,
    )
    if not found.touched.any():
        raise InputError(f"{key}={path} corrects nothing: every mask in it is used")
    try:
        return replace(found, sets=found.sets_made(truth)) if truth.overlapping else found
    except InputError as error:
        raise InputError(f"{key}={path}: {error}") from error


def _subject(predicted: str, truth: Truth) -> str:
    """The class that a row is about, where several can be right and wrong at a pixel."""
    if not truth.overlapping:
        return ""
    known = predicted in truth.answers
    return truth.classes[truth.answers.index(predicted) // 2] if known else predicted


def _check(decision: Decision, truth: Truth, place: str) -> None:
    """Raises InputError for a region that is none, or a class that is none."""
    if decision.use not in ("void", "predicted"):
        return
    if not decision.region:
        raise InputError(f"{place}: use={decision.use} needs a region: run lengths")
    if decision.use == "predicted" and decision.predicted not in truth.answers:
        raise unknown("class", decision.predicted, truth.answers, f"{place}, column predicted")
    height, width = truth.masks.shapes[decision.row].tolist()
    try:
        decode(decision.region, height, width, "column")
    except InputError as error:
        raise InputError(f"{place}: {error}") from error
