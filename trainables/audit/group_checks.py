"""Whether a hold-out is as far from what is trained on as the test images are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from trainables.audit.evidence import Evidence
from trainables.audit.finding import Finding, Place
from trainables.audit.grouping import Proposal

SHOWN = 16
"""Pairs across the split that are shown."""

NAMED = 12
"""Pairs of groups that are named in one finding."""


def groups(evidence: Evidence) -> Iterator[Finding]:
    """A finding where held-out images are nearer to training than test images are."""
    found = evidence.proposal
    if found is None:
        return
    alone, best = found.candidates[0], found.best
    if alone.gap <= found.chance or alone.distance >= 1:
        return
    what = (
        f"held-out images are nearer to training images than test images are: "
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
        what=f"{what}; with {best.groups:,} groups of appearance "
        f"({'across classes' if best.across else best.how}) {best.distance:.2f}, "
        f"and {best.found:.0%} instead of {alone.found:.0%} of held-out images have a nearest "
        f"neighbour with their label; {_beside(evidence, found)}",
        advice="look at the pairs: where they are shots of one thing, accept the groups",
        places=tuple(
            Place(row=i, other=int(found.nearest[i]), detail=f"distance {found.apart[i]:.2f}")
            for i in once[:SHOWN]
        ),
    )


def _beside(evidence: Evidence, found: Proposal) -> str:
    """What else says how far the groups can be believed."""
    alone, apart = found.scores
    told = [f"a linear model of the appearance scores macro F1 {apart:.2f} instead of {alone:.2f}"]
    told += [str(hint) for hint in evidence.hints]
    return "; ".join(told)


def leaking_groups(evidence: Evidence) -> Iterator[Finding]:
    """A finding on groups with names that have pictures in common, in unlike folds."""
    groups, folds = evidence.contest.groups, evidence.folds
    if groups is None or folds is None:
        return
    pairs = np.concatenate([evidence.same, evidence.near])
    pairs = pairs[(pairs < evidence.trained).all(axis=1)]
    split = pairs[folds.fold[pairs[:, 0]] != folds.fold[pairs[:, 1]]]
    if not len(split):
        return
    names = [tuple(sorted((str(groups[a]), str(groups[b])))) for a, b in split.tolist()]
    counts = Counter(names).most_common()
    told = [f"{a!r} and {b!r} ({count})" for (a, b), count in counts[:NAMED]]
    more = f" and {len(counts) - NAMED} more" if len(counts) > NAMED else ""
    yield Finding(
        name="groups that share pictures",
        severity="warning",
        what="groups that are kept apart have pictures that are the same or nearly so: "
        f"{', '.join(told)}{more}",
        advice="where they are one person, place or burst, give them one name",
        places=tuple(
            Place(row=a, other=b, detail=f"{groups[a]} / {groups[b]}") for a, b in split.tolist()
        ),
    )
