"""The page of an audit: one HTML file that requests nothing."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from jinja2 import Environment

from results.masks.overlay import colours
from trainables.audit.evidence import Evidence
from trainables.audit.finding import Finding
from trainables.audit.grouping import Proposal
from trainables.audit.looks import PROPERTIES
from trainables.audit.page_drawings import members, sizes
from trainables.audit.page_template import PAGE
from trainables.audit.thumbnails import encoded, thumbnail

SHOWN = 16
"""Images, or pairs, of one finding."""

SAMPLES = 6
"""Images of one class."""

CLASSES = 120
"""Classes whose images are shown."""

EXTREMES = 4
"""Images that have least, or most, of a property."""


def audit_page(
    evidence: Evidence, findings: Sequence[Finding], groups: str = "", likest: str = ""
) -> str:
    """Draws the page.

    Args:
        evidence: What was read.
        findings: What was found, the severest first.
        groups: The option that accepts the proposed groups; empty without any.
        likest: The option that takes the hold-out that is most like the test; empty without one.

    Returns:
        HTML.
    """
    contest, proposal, shift = evidence.contest, evidence.proposal, evidence.shift
    worst = findings[0].severity if findings else "note"
    headlines = {
        "stop": "scores would mean nothing before this is settled",
        "warning": "read the warnings before a score is believed",
        "note": "nothing that speaks against a search",
    }
    page = Environment(autoescape=True).from_string(PAGE)
    return page.render(
        name=contest.name,
        headline=headlines[worst],
        counts=f"{len(contest.train_images):,} training and {len(contest.test_images):,} test "
        f"images, {len(contest.classes)} classes",
        findings=[_told(evidence, finding) for finding in findings],
        candidates=_candidates(proposal) if proposal is not None else (),
        chance=f"{proposal.chance:.3f}" if proposal is not None else "",
        scores=_scores(proposal) if proposal is not None else "",
        groups=groups,
        hints=evidence.hints,
        members=members(evidence),
        sizes=sizes(evidence),
        likest=likest,
        auc=f"{shift.auc:.2f}" if shift is not None else "",
        properties=[
            {
                "name": PROPERTIES[p.name],
                "auc": f"{p.auc:.2f}",
                "train": f"{p.train:.4g}",
                "test": f"{p.test:.4g}",
                "extremes": _extremes(evidence, p.name),
            }
            for p in (shift.properties if shift is not None else ())
        ],
        folds=range(evidence.folds.count) if evidence.folds is not None else (),
        classes=_classes(evidence),
        masked=contest.truth is not None,
    )


def _candidates(proposal: Proposal) -> list[dict[str, Any]]:
    return [
        {
            "clusters": c.how,
            "groups": f"{c.groups:,}",
            "distance": f"{c.distance:.2f}",
            "gap": f"{c.gap:.3f}",
            "found": f"{c.found:.1%}",
            "best": c is proposal.best,
        }
        for c in proposal.candidates
    ]


def _scores(proposal: Proposal) -> str:
    alone, together = proposal.scores
    words = f"A linear model of the appearance has macro F1 {alone:.2f} on held-out images"
    return f"{words}, and {together:.2f} with the groups." if proposal.groups is not None else words


def _extremes(evidence: Evidence, name: str) -> list[list[dict[str, Any]]]:
    """The images that have least of a property, and those that have most."""
    rows = np.flatnonzero(evidence.looks.readable)
    values = evidence.looks.table[name].to_numpy(float)[rows]
    order = rows[np.argsort(values, kind="stable")]
    return [
        [{"picture": _picture(evidence, row), "test": row >= evidence.trained} for row in some]
        for some in (order[:EXTREMES].tolist(), order[-EXTREMES:].tolist())
    ]


def _told(evidence: Evidence, finding: Finding) -> dict[str, Any]:
    table = evidence.looks.table
    pictures = []
    for place in finding.places[:SHOWN]:
        rows = [place.row] if place.other < 0 else [place.row, place.other]
        names = [f"{table['image'][r]} ({table['table'][r]}, row {table['row'][r]})" for r in rows]
        words = " | ".join([*names, place.detail] if place.detail else names)
        pictures.append(
            {"images": [_picture(evidence, r, masked=finding.masked) for r in rows], "words": words}
        )
    return {
        "name": finding.name,
        "severity": finding.severity,
        "what": finding.what,
        "advice": finding.advice,
        "pictures": pictures,
        "more": max(0, len(finding.places) - SHOWN),
    }


def _classes(evidence: Evidence) -> list[dict[str, Any]]:
    contest, looks = evidence.contest, evidence.looks
    truth = contest.truth
    shares = None if truth is None else truth.pixels.sum(axis=0) / max(1, truth.known.sum())
    readable = looks.readable[: evidence.trained]
    fold = evidence.folds.fold if evidence.folds is not None else None
    found = []
    for index, name in enumerate(contest.classes):
        rows = np.flatnonzero(contest.shows(index))
        seen = rows[readable[rows]] if index < CLASSES else rows[:0]
        some = seen[np.linspace(0, len(seen) - 1, min(SAMPLES, len(seen))).astype(int)]
        counts = [] if fold is None else np.bincount(fold[rows], minlength=fold.max() + 1).tolist()
        mean = (
            looks.fingerprints.thumbnails[seen].mean(axis=0).astype(np.uint8) if len(seen) else None
        )
        found.append(
            {
                "name": name,
                "count": len(rows),
                "colour": "" if truth is None else f"#{bytes(colours(index + 1)[index]).hex()}",
                "pixels": "" if shares is None else f"{shares[index]:.2%}",
                "folds": counts,
                "mean": "" if mean is None else encoded(mean),
                "samples": [_picture(evidence, int(row), masked=True) for row in some],
            }
        )
    return found


@functools.lru_cache(maxsize=512)
def _picture(evidence: Evidence, row: int, *, masked: bool = False) -> str:
    """An image, with its mask over it where it has one and that is asked for.

    Kept, since what is odd in several ways is shown as often, and may take seconds to decode.
    """
    contest = evidence.contest
    if not evidence.looks.readable[row]:
        return ""
    known = masked and contest.truth is not None and row < evidence.trained
    mask = contest.truth.actual(row) if known and contest.truth is not None else None
    return thumbnail(contest.paths[row], mask)
