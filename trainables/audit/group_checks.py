"""Whether a hold-out is as far from what is trained on as the test images are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trainables.audit.evidence import Evidence
from trainables.audit.finding import Finding, Place

SHOWN = 16
"""Pairs across the split that are shown."""


def groups(evidence: Evidence) -> Iterator[Finding]:
    """A finding where held-out images are nearer to training than test images are."""
    found = evidence.proposal
    if found is None:
        return
    alone, best = found.candidates[0], found.best
    if alone.gap <= found.chance or alone.distance >= 1:
        return
    what = (
        f"held-out images are nearer to images trained on than test images are: "
        f"{alone.distance:.2f} of the test's median distance"
    )
    if found.groups is None:
        yield Finding(
            name="hold-out nearer than the test",
            severity="note",
            what=f"{what}; no groups of appearance explain it",
            advice="see what else tells the test images apart",
        )
        return
    asked = np.flatnonzero(found.nearest >= 0)
    alike = asked[np.argsort(found.apart[asked], kind="stable")]
    once = [
        i for i in alike.tolist() if found.nearest[found.nearest[i]] != i or i < found.nearest[i]
    ]
    yield Finding(
        name="groups nobody named",
        severity="warning",
        what=f"{what}; with {best.groups:,} groups of appearance ({best.clusters} "
        f"{'in all' if evidence.contest.groups is not None else 'a class'}) {best.distance:.2f}, "
        f"and {best.found:.0%} instead of {alone.found:.0%} of held-out images have a nearest "
        "neighbour with their label",
        advice="look at the pairs: where they are shots of one thing, accept the groups",
        places=tuple(
            Place(row=i, other=int(found.nearest[i]), detail=f"distance {found.apart[i]:.2f}")
            for i in once[:SHOWN]
        ),
    )
