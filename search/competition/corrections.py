"""Corrections of labels that a job was made with, read back from its record."""

from __future__ import annotations

from collections.abc import Iterable

from results.records.trials import Search
from spaces.errors import InputError
from spaces.sections.labels import GIVEN
from spaces.trial_config import TrialConfig
from trainables.data.contest_corrections import stored_corrections
from trainables.data.corrections import Corrections, corrections_file
from trainables.data.folds import Folds


def recorded_corrections(search: Search, folds: Folds, identity: str = "") -> Corrections | None:
    """Corrections as they lie beside the searches of a competition; None if there are none.

    Args:
        search: A job, whose own are read unless others are named.
        folds: Its training images and labels.
        identity: Digest of the corrections.

    Raises:
        InputError: If the stored file is missing or was changed.
    """
    own = search.opened.corrections
    found = identity or (own.digest if own is not None else "")
    if not found:
        return None
    path = search.folder.parent / corrections_file(found)
    classes = search.opened.classes
    return stored_corrections(path, folds.images, folds.labels, classes, search.truth)


def trained_with(configs: Iterable[TrialConfig]) -> str:
    """Digest of the corrections that some configurations make use of; empty if none does.

    Raises:
        InputError: If they use different ones.
    """
    used = sorted({c.labels.corrections for c in configs if c.labels.kind != GIVEN})
    if len(used) > 1:
        raise InputError(
            f"these trials were trained with different corrections ({', '.join(used)}): promote "
            "them one after the other"
        )
    return used[0] if used else ""
