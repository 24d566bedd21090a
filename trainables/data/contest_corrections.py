"""The corrections of a contest: of labels, or of masks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from results.masks.truth import Truth
from spaces.errors import InputError
from trainables.data.corrections import Corrections, corrections_file, read_corrections
from trainables.data.mask_corrections import read_mask_corrections


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
