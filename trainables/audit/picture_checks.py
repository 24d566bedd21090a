"""Pictures in which there is little to see, by cleanvision's measures and thresholds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from cleanvision.issue_managers.image_property_issue_manager import ImagePropertyIssueManager

from trainables.audit.evidence import Evidence
from trainables.audit.finding import Finding, Place

TOLD = {
    "dark": ("are dark", "look at them: labels may be guesses"),
    "light": ("are overexposed", "look at them: labels may be guesses"),
    "blurry": ("are blurred", "look at them; where the test has such, augment by blur"),
    "low_information": ("have hardly any content", "look at them: they may be broken"),
    "odd_aspect_ratio": ("are very long or tall", "squashing to a square distorts them"),
    "odd_size": ("have an unusual size", "look at them: they may be of another source"),
    "grayscale": (
        "are grey while others are in colour",
        "where the test has such, augment by gray",
    ),
}
"""What is said of cleanvision's kinds of issues, and what to do."""

COMMON = 0.5
"""Share of the images from which on an issue is how this contest's images are."""


def pictures(evidence: Evidence) -> Iterator[Finding]:
    """A finding for each kind of issue that some pictures have."""
    rows = np.flatnonzero(evidence.looks.readable)
    if not len(rows):
        return
    measured = evidence.looks.table.iloc[rows].filter(like="clean_")
    raw = measured.rename(columns=lambda name: name.removeprefix("clean_"))
    manager = ImagePropertyIssueManager()
    for kind, (what, advice) in TOLD.items():
        property_of = manager.image_properties[kind]
        params = manager.params[kind]
        scores = property_of.get_scores(raw_scores=raw, issue_type=kind, **params)
        issues = property_of.mark_issue(scores, kind, params.get("threshold"))
        issues = issues.to_numpy(bool)[:, 0]
        if issues.mean() > COMMON:
            continue
        worst = rows[issues][np.argsort(scores.to_numpy()[issues, 0], kind="stable")]
        if len(worst):
            yield Finding(
                name=kind.replace("_", " "),
                severity="note",
                what=f"images that {what}: {len(worst):,} of {len(rows):,}",
                advice=advice,
                places=tuple(Place(row=int(row)) for row in worst),
            )
