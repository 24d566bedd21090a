"""Whether test images are unlike training images, and in what."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trainables.audit.evidence import Evidence
from trainables.audit.finding import Finding, Place
from trainables.audit.looks import PROPERTIES

TOLD_FROM, FAR_FROM = 0.6, 0.8
"""AUC from which on the sides count as unlike, and as far apart."""

EXTREMES = 6
"""Images of each side that are shown."""


def shift(evidence: Evidence) -> Iterator[Finding]:
    """A finding where a classifier can tell test images from training images."""
    found = evidence.shift
    if found is None or found.auc < TOLD_FROM:
        return
    telling = [p for p in found.properties if p.apart >= TOLD_FROM][:3]
    words = [
        f"{'more' if p.auc > 0.5 else 'less'} {PROPERTIES[p.name]} (AUC {p.apart:.2f})"
        for p in telling
    ]
    what = f"test images can be told from training images (AUC {found.auc:.2f})"
    if words:
        what += ": " + ", ".join(words)
    order = np.argsort(found.likeness, kind="stable")
    known = order[np.isfinite(found.likeness[order])]
    least = known[known < evidence.trained][:EXTREMES]
    most = known[known >= evidence.trained][::-1][:EXTREMES]
    yield Finding(
        name="test shift",
        severity="warning" if found.auc >= FAR_FROM else "note",
        what=what,
        advice="augment towards the test, and trust search.forecast rather than the hold-out",
        places=tuple(
            Place(row=row, detail=f"like a test image: {found.likeness[row]:.2f}")
            for row in [*most.tolist(), *least.tolist()]
        ),
    )
