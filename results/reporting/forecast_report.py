"""A forecast of test scores in words, and as a table."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import numpy as np
import pandas as pd

from results.forecast.forecast import FEWEST_SCORES, Expected, Forecast
from results.forecast.leak import Leak
from results.metrics import Metric
from results.reporting.text import table
from results.reporting.trust_report import NOTICED

WIDTH = 100
"""Columns of the page."""

LEAKS = 0.05
"""Share of the held-out images that may have others alike among those trained on."""

SHOWN = 12
"""Models in the table."""


def forecast_page(
    found: Forecast,
    competition: str,
    metric: Metric,
    public: Mapping[str, float],
    leak: Leak | None = None,
    audited: bool = True,
) -> list[str]:
    """The page, line by line; the level comes first.

    Args:
        found: The forecasts.
        competition: Its name.
        metric: The contest's metric.
        public: Public scores, by trial.
        leak: Of the hold-out; None where no groups were proposed.
        audited: Whether anybody looked for such groups.
    """
    ranked = sorted(found.models.values(), key=lambda e: -metric.sign * e.score)
    single = [e for e in ranked if e.fold is not None]
    together = [e for e in ranked if e.fold is None]
    ensembles = f" and {len(together)} ensembles of several folds" if together else ""
    rows = [["model", "fold", "hold-out", "expected", "from", "to", "public", "agreement"]]
    for e in (*together, *single[:SHOWN]):
        scores = [f"{x:.4f}" for x in (e.holdout, e.score, e.low, e.high)]
        known = f"{public[e.id]:.4f}" if e.id in public else ""
        fold = "several" if e.fold is None else str(e.fold)
        rows.append([e.id, fold, *scores, known, _share(e.agreement)])
    lines = [
        f"{competition}: {metric.name} on {found.images:,} unlabelled test images, expected of "
        f"{len(single)} models{ensembles}",
        "",
        *(textwrap.wrap(level_words(found, metric), WIDTH) if single else []),
        *textwrap.wrap(_leak_words(leak, audited), WIDTH),
        "",
        *table(rows),
    ]
    if len(single) > SHOWN:
        lines.append(f"and {len(single) - SHOWN} more in the table")
    lines += ["", *_methods(found)]
    for condition in found.conditions:
        lines += textwrap.wrap(condition, WIDTH)
    caution = (
        "The models share their training images: if these leak into the hold-out, or all models "
        "take the same short cut, the forecast is too good. Agreement is comparable within a fold "
        "and rewards being like the others."
    )
    return [*lines, *textwrap.wrap(caution, WIDTH)]


def _leak_words(leak: Leak | None, audited: bool) -> str:
    """What a leak does to a forecast; empty where there is hardly any."""
    if not audited:
        return (
            "Nobody has looked for held-out images that resemble training images: python -m "
            "search.audit finds them. No interval here allows for any."
        )
    if leak is None or leak.alike <= LEAKS * leak.held_out:
        return ""
    return (
        f"Do not believe it: search.audit found similar training images for {leak.alike:,} of "
        f"{leak.held_out:,} held-out images. Models are sure of what they have nearly seen, and "
        "agree on it, so test scores are probably below all of these, intervals included. "
        f"data.group={leak.groups} separates them."
    )


def level_words(found: Forecast, metric: Metric) -> str:
    """How far the hold-out's level is from what is expected of the test."""
    gap = metric.sign * found.gap / metric.points
    source = (
        f"corrected by {found.scored} public scores ({found.offset:+.1f} points)"
        if found.scored >= FEWEST_SCORES
        else "without a label"
    )
    if np.isnan(gap):
        return f"{metric.name} is undefined on the labels that were drawn: no forecast is possible."
    if abs(gap) < NOTICED:
        return (
            f"The hold-out's level holds: the test is expected within {abs(gap):.1f} points of it "
            f"({source})."
        )
    if gap < 0:
        return (
            f"The hold-out is harder: the test is expected to be {-gap:.1f} points better "
            f"({source})."
        )
    return (
        f"The hold-out flatters: the test is expected to be {gap:.1f} points worse ({source}). "
        "Test images differ from the hold-out, or similar images are on both sides of the split "
        "(data.group= keeps groups together)."
    )


def forecast_table(found: Forecast, public: Mapping[str, float]) -> pd.DataFrame:
    """A row per model: scores, interval, accuracies by method."""

    def row(e: Expected) -> dict[str, object]:
        return {
            "model": e.id,
            "fold": "several" if e.fold is None else e.fold,
            "holdout": e.holdout,
            "expected": e.score,
            "low": e.low,
            "high": e.high,
            "public": public.get(e.id),
            "agreement": e.agreement,
            **{f"accuracy by {name}": value for name, value in e.accuracies.items()},
        }

    return pd.DataFrame([row(e) for e in found.models.values()])


def _methods(found: Forecast) -> list[str]:
    """The median accuracy of every method, and how far each was off."""
    names = list(dict.fromkeys(n for e in found.models.values() for n in e.accuracies))
    rows = [["accuracy on the test images by", "median", "off on average", ""]]
    for name in names:
        values = [e.accuracies[name] for e in found.models.values() if name in e.accuracies]
        off = f"{found.errors[name]:.1f} points" if found.errors and name in found.errors else ""
        rows.append([name, f"{np.median(values):.3f}", off, ""])
    if found.errors and "hold-out" in found.errors:
        off = f"{found.errors['hold-out']:.1f} points"
        rows.append(["(the hold-out's score itself)", "", off, ""])
    return table(rows)


def _share(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else ""
