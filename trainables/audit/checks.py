"""The checks of an audit: a new one is a function and a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from trainables.audit.class_checks import classes, mistyped, unsure
from trainables.audit.duplicate_checks import identical, nearly_identical
from trainables.audit.evidence import Evidence
from trainables.audit.file_checks import files
from trainables.audit.finding import SEVERITIES, Finding
from trainables.audit.group_checks import groups, leaking_groups
from trainables.audit.mask_checks import masks
from trainables.audit.picture_checks import pictures
from trainables.audit.shift_checks import shift

CHECKS: tuple[Callable[[Evidence], Iterable[Finding]], ...] = (
    files,
    identical,
    nearly_identical,
    groups,
    leaking_groups,
    shift,
    masks,
    classes,
    unsure,
    mistyped,
    pictures,
)
"""In the order in which findings of one severity are told."""


def audit(evidence: Evidence) -> list[Finding]:
    """Runs every check.

    Returns:
        Findings, the severest first.
    """
    found = [finding for check in CHECKS for finding in check(evidence)]
    return sorted(found, key=lambda f: SEVERITIES.index(f.severity))
