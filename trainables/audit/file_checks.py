"""Files that cannot be read, or are not what they seem."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

import pandas as pd
from PIL import Image

from trainables.audit.evidence import Evidence
from trainables.audit.finding import Finding, Place

HUGE = 50_000_000
"""Pixels from which on an image takes longer to decode than to train on."""


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """A property of a file that is told.

    Attributes:
        name: Of the finding.
        severity: Of the finding.
        told: From a row of the looks to what is said of the file; empty says nothing.
        what: After "files that".
        advice: What to do.
    """

    name: str
    severity: str
    told: Callable[[pd.Series], str]
    what: str
    advice: str


def _missing(line: pd.Series) -> str:
    return "" if line["problem"] in ("", "truncated") else str(line["problem"])


def _truncated(line: pd.Series) -> str:
    return "the end of the file is missing" if line["problem"] == "truncated" else ""


def _extension(line: pd.Series) -> str:
    suffix = PurePath(line["image"]).suffix.lower()
    said, real = Image.registered_extensions().get(suffix), line["format"]
    if not isinstance(real, str) or said is None or said == real:
        return ""
    if {said, real} <= {"JPEG", "MPO"}:  # what phones write: a JPEG with more behind it
        return ""
    return f"{suffix}, but {real}"


def _mode(*modes: str) -> Callable[[pd.Series], str]:
    def told(line: pd.Series) -> str:
        mode = line["mode"]
        return mode if isinstance(mode, str) and mode.startswith(modes) else ""

    return told


def _turned(line: pd.Series) -> str:
    return f"orientation {line['orientation']:.0f}" if line["orientation"] in range(2, 9) else ""


def _frames(line: pd.Series) -> str:
    several = line["frames"] > 1 and line["format"] != "MPO"
    return f"{line['frames']:.0f} frames" if several else ""


def _huge(line: pd.Series) -> str:
    pixels = line["width"] * line["height"]
    return f"{line['width']:.0f} x {line['height']:.0f}" if pixels > HUGE else ""


RULES = (
    _Rule(
        name="unreadable",
        severity="stop",
        told=_missing,
        what="cannot be read",
        advice="fetch these files again, or take their rows out of the table",
    ),
    _Rule(
        name="truncated",
        severity="warning",
        told=_truncated,
        what="are truncated, with grey for what is missing",
        advice="fetch these files again",
    ),
    _Rule(
        name="wrong extension",
        severity="note",
        told=_extension,
        what="have an extension that is not their format",
        advice="nothing: files are read by their content",
    ),
    _Rule(
        name="CMYK",
        severity="warning",
        told=_mode("CMYK", "YCCK"),
        what="are made for print (CMYK), so that colours may come out wrong",
        advice="look at them, and convert them to RGB",
    ),
    _Rule(
        name="16 bit",
        severity="warning",
        told=_mode("I;16", "I", "F"),
        what="have more than 8 bits a channel, of which 8 are read",
        advice="rescale them to 8 bits so that what matters remains",
    ),
    _Rule(
        name="transparent",
        severity="note",
        told=_mode("RGBA", "LA", "PA"),
        what="have transparency, which is dropped so that hidden colours show",
        advice="look at them, and paste them on the background that test images have",
    ),
    _Rule(
        name="animated",
        severity="warning",
        told=_frames,
        what="have several frames, of which the first is read",
        advice="nothing, if the first is the right one",
    ),
    _Rule(
        name="huge",
        severity="note",
        told=_huge,
        what=f"have more than {HUGE // 1_000_000} million pixels",
        advice="nothing: they are decoded once",
    ),
    _Rule(
        name="turned by EXIF",
        severity="note",
        told=_turned,
        what="are turned as their EXIF orientation says",
        advice="nothing: it is done once, in training and for submissions alike",
    ),
)


def files(evidence: Evidence) -> Iterator[Finding]:
    """A finding for each of `RULES` that some files break."""
    table = evidence.looks.table
    lines = [line for _, line in table.iterrows()]
    for rule in RULES:
        told = ((row, rule.told(line)) for row, line in enumerate(lines))
        places = tuple(Place(row=row, detail=words) for row, words in told if words)
        if places:
            yield Finding(
                name=rule.name,
                severity=rule.severity,
                what=f"files that {rule.what}: {len(places):,} of {len(table):,}",
                advice=rule.advice,
                places=places,
            )
