"""The page of an audit: one HTML file that requests nothing."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from jinja2 import Environment
from numpy.typing import NDArray

from results.tasks.tasks import task_of
from trainables.audit.evidence import Evidence
from trainables.audit.finding import Finding
from trainables.audit.grouping import Proposal
from trainables.audit.looks import PROPERTIES
from trainables.portable.images import decode, resize

SHOWN = 16
"""Images, or pairs, of one finding."""

SAMPLES = 6
"""Images of one class."""

CLASSES = 120
"""Classes whose images are shown."""

SIDE = 96
"""Longest side of a picture on the page."""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ name }}: audit</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color: #1d2329; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2.2rem }
table { border-collapse: collapse; margin: .6rem 0 } th { text-align: left; font-weight: 600 }
td, th { padding: .2rem .9rem .2rem 0; vertical-align: top; border-bottom: 1px solid #e4e7ea }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
.stop { color: #b3261e; font-weight: 600 } .warning { color: #8a5300; font-weight: 600 }
.note { color: #5b6670 } .small { color: #5b6670; font-size: .85rem }
.pictures { display: flex; flex-wrap: wrap; gap: .8rem } figure { margin: 0; width: 13rem }
figcaption { font-size: .75rem; color: #5b6670; overflow-wrap: anywhere }
img { height: 96px; margin-right: 3px; background: #eef0f2 } code { background: #f1f3f5 }
.classes img { height: 56px } tr.best td { font-weight: 600 }
</style></head><body>
<h1>{{ name }}: {{ headline }}</h1>
<p class="small">{{ counts }}</p>
<table><tr><th>severity</th><th>finding</th><th></th></tr>
{% for f in findings %}<tr><td class="{{ f.severity }}">{{ f.severity }}</td>
<td><a href="#f{{ loop.index }}">{{ f.name }}</a></td><td>{{ f.what }}</td></tr>
{% endfor %}</table>
{% for f in findings %}<h2 id="f{{ loop.index }}"><span class="{{ f.severity }}">
{{- f.severity }}</span> {{ f.name }}</h2><p>{{ f.what }}.<br>What to do: {{ f.advice }}.</p>
<div class="pictures">{% for p in f.pictures %}<figure>
{%- for i in p.images %}<img src="{{ i }}" alt="">{% endfor %}
<figcaption>{{ p.words }}</figcaption></figure>{% endfor %}</div>
{% if f.more %}<p class="small">… and {{ f.more }} more, all in findings.csv</p>{% endif %}
{% endfor %}
{% if candidates %}<h2 id="groups">Groups</h2>
<p>How far held-out images are from the nearest image trained on, in units of the median distance of
the test images. The grouping whose distances are distributed most like those of the test is the
one to take; chance alone makes a gap of {{ chance }}.</p>
<table><tr><th class="n">{{ per }}</th><th class="n">groups</th><th class="n">median distance</th>
<th class="n">gap to the test's</th><th class="n">nearest has the same label</th></tr>
{% for c in candidates %}<tr{% if c.best %} class="best"{% endif %}>
<td class="n">{{ c.clusters }}</td>
<td class="n">{{ c.groups }}</td><td class="n">{{ c.distance }}</td><td class="n">{{ c.gap }}</td>
<td class="n">{{ c.found }}</td></tr>{% endfor %}</table>
{% if groups %}<p>To accept: <code>{{ groups }}</code>; the file may be edited first.</p>{% endif %}
{% endif %}
{% if properties %}<h2 id="shift">Training against test</h2>
<p>A classifier tells them apart with AUC {{ auc }} (0.5: not at all).</p>
<table><tr><th>property</th><th class="n">AUC alone</th><th class="n">training, median</th>
<th class="n">test, median</th></tr>
{% for p in properties %}<tr><td>{{ p.name }}</td><td class="n">{{ p.auc }}</td>
<td class="n">{{ p.train }}</td><td class="n">{{ p.test }}</td></tr>{% endfor %}</table>
{% if likest %}<p>A hold-out of the training images that look most like the test:
<code>{{ likest }}</code></p>{% endif %}{% endif %}
<h2 id="classes">Classes</h2>
<table class="classes"><tr><th>class</th><th class="n">images</th>
{% for k in folds %}<th class="n">fold {{ k }}</th>{% endfor %}<th>mean</th><th>samples</th></tr>
{% for c in classes %}<tr><td>{{ c.name }}</td><td class="n">{{ c.count }}</td>
{% for n in c.folds %}<td class="n">{{ n }}</td>{% endfor %}
<td>{% if c.mean %}<img src="{{ c.mean }}" alt="">{% endif %}</td>
<td>{% for i in c.samples %}<img src="{{ i }}" alt="">{% endfor %}</td></tr>
{% endfor %}</table></body></html>
"""


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
    page = Environment(autoescape=True).from_string(_PAGE)
    return page.render(
        name=contest.name,
        headline=headlines[worst],
        counts=f"{len(contest.train_images):,} training and {len(contest.test_images):,} test "
        f"images, {len(contest.classes)} classes",
        findings=[_told(evidence, finding) for finding in findings],
        candidates=_candidates(proposal) if proposal is not None else (),
        chance=f"{proposal.chance:.3f}" if proposal is not None else "",
        per="clusters a class" if contest.groups is None else "clusters of your groups",
        groups=groups,
        likest=likest,
        auc=f"{shift.auc:.2f}" if shift is not None else "",
        properties=[
            {
                "name": PROPERTIES[p.name],
                "auc": f"{p.auc:.2f}",
                "train": f"{p.train:.4g}",
                "test": f"{p.test:.4g}",
            }
            for p in (shift.properties if shift is not None else ())
        ],
        folds=range(evidence.folds.count) if evidence.folds is not None else (),
        classes=_classes(evidence),
    )


def _candidates(proposal: Proposal) -> list[dict[str, Any]]:
    return [
        {
            "clusters": c.clusters or "none",
            "groups": f"{c.groups:,}",
            "distance": f"{c.distance:.2f}",
            "gap": f"{c.gap:.3f}",
            "found": f"{c.found:.1%}",
            "best": c is proposal.best,
        }
        for c in proposal.candidates
    ]


def _told(evidence: Evidence, finding: Finding) -> dict[str, Any]:
    table = evidence.looks.table
    pictures = []
    for place in finding.places[:SHOWN]:
        rows = [place.row] if place.other < 0 else [place.row, place.other]
        names = [f"{table['image'][r]} ({table['table'][r]}, row {table['row'][r]})" for r in rows]
        words = " | ".join([*names, place.detail] if place.detail else names)
        pictures.append({"images": [_picture(evidence, r) for r in rows], "words": words})
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
    strata = task_of(contest.task).strata(contest.labels)
    readable = looks.readable[: evidence.trained]
    fold = evidence.folds.fold if evidence.folds is not None else None
    found = []
    for index, name in enumerate(contest.classes):
        rows = np.flatnonzero(strata == index)
        seen = rows[readable[rows]] if index < CLASSES else rows[:0]
        some = seen[np.linspace(0, len(seen) - 1, min(SAMPLES, len(seen))).astype(int)]
        counts = [] if fold is None else np.bincount(fold[rows], minlength=fold.max() + 1).tolist()
        mean = looks.thumbnails[seen].mean(axis=0).astype(np.uint8) if len(seen) else None
        found.append(
            {
                "name": name,
                "count": len(rows),
                "folds": counts,
                "mean": "" if mean is None else _encoded(mean),
                "samples": [_picture(evidence, int(row)) for row in some],
            }
        )
    return found


def _picture(evidence: Evidence, row: int) -> str:
    if not evidence.looks.readable[row]:
        return ""
    picture = decode(evidence.contest.paths[row].read_bytes())
    height, width = picture.shape[:2]
    factor = SIDE / max(height, width)
    return _encoded(resize(picture, max(1, round(height * factor)), max(1, round(width * factor))))


def _encoded(picture: NDArray[np.uint8]) -> str:
    """A JPEG within the page."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    assert done
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()
