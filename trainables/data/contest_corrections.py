"""The corrections of a contest: of labels, or of masks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from results.masks.truth import Truth
from spaces.errors import InputError
from spaces.sections.labels import DROP, RELABEL
from trainables.data.corrections import Corrections, corrections_file, read_corrections
from trainables.data.mask_corrections import MaskCorrections, read_mask_corrections

if TYPE_CHECKING:  # folds are made of contests, which have corrections
    from trainables.data.folds import Folds


def contest_corrections(
    path: Path,
    images: Sequence[str],
    labels: NDArray[np.int64],
    classes: Sequence[str],
    truth: Truth | None,
    key: str = "data.corrections",
) -> Corrections:
    """Reads a table of labels as they should be, or of what to make of masks.

    Args:
        path: The table.
        images: All training images.
        labels: int64 (n,), their labels as given, or strata of their masks.
        classes: Class names.
        truth: Masks as given; None without masks.
        key: The option that names the table.

    Raises:
        InputError: For anything wrong with it, with file and row.
    """
    if truth is None:
        return read_corrections(path, images, labels, classes, key)
    return read_mask_corrections(path, images, labels, truth, key)


def stored_corrections(
    path: Path,
    images: Sequence[str],
    labels: NDArray[np.int64],
    classes: Sequence[str],
    truth: Truth | None = None,
) -> Corrections:
    """Reads what `Corrections.write` wrote; arguments are those of `contest_corrections`.

    Raises:
        InputError: If it is missing, or its contents do not match the digest in its name.
    """
    found = contest_corrections(path, images, labels, classes, truth, key="corrections")
    if path.name != corrections_file(found.digest):
        raise InputError(f"{path} was changed: its contents have the digest {found.digest}")
    return found


def check_left(kind: str, corrections: Corrections, truth: Truth | None, folds: Folds) -> None:
    """Raises InputError if a training would have no image left of a class.

    Args:
        kind: What it makes of corrections; one that leaves no image out leaves all classes.
        corrections: Those of the data.
        truth: Masks as given; None without masks.
        folds: What is held out when.
    """
    if kind not in (RELABEL, DROP):
        return
    left = _occurring(corrections, truth, corrected=kind == RELABEL)
    left[corrections.left_out if kind == RELABEL else corrections.touched] = False
    for fold in range(folds.count):
        there = left[folds.trained_on(fold)].any(axis=0)
        if not there.all():
            name = corrections.classes[int(there.argmin())]
            raise InputError(
                f"labels={kind}: of class {name!r} data.corrections= would leave no image to train "
                f"on where fold {fold} is held out; in a space drop=[labels.{kind}] spares it"
            )


def _occurring(
    corrections: Corrections, truth: Truth | None, *, corrected: bool
) -> NDArray[np.bool_]:
    """Which classes images show, as they are given or as they are corrected, bool (n, classes)."""
    if truth is None:
        labels = corrections.labels if corrected else corrections.given
        return np.asarray(labels[:, None] == np.arange(len(corrections.classes)))
    found = truth.pixels > 0
    assert isinstance(corrections, MaskCorrections)
    rows = np.flatnonzero(corrections.relabelled) if corrected else np.empty(0, np.int64)
    if len(rows):
        found[rows] = corrections.truth(truth, rows.tolist()).pixels > 0
    return np.asarray(found)
