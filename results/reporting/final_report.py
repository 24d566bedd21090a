"""The final selection in words: a page for the terminal and a table for a team's sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from results.leaderboard.entries import Submission
from results.metrics import Metric
from results.reporting.text import table
from results.stats.interval import Interval
from results.trust.final_selection import Final

LISTED = 12
"""Submissions on the page."""

OURS = "this one"
"""What the page calls the selection that is proposed."""


def final_page(
    final: Final,
    submissions: Sequence[Submission],
    validation: Mapping[str, float],
    metric: Metric,
    files: Sequence[Path],
) -> list[str]:
    """The page below its headline, line by line.

    Args:
        final: What to select.
        submissions: Those that compete.
        validation: Their validation scores in points, larger is better, by trial.
        metric: The contest's metric.
        files: Of those to select, in the selection's order.
    """
    fall = final.fall
    lines = [
        *_standings(final, submissions, validation, metric),
        "",
        *_selections(final, metric),
        "",
        f"The public leader's private score is expected {fall.value:+.1f} points from its public "
        f"one ({fall.low:+.1f} to {fall.high:+.1f}).",
    ]
    if np.isfinite(final.alike):
        lines.append(f"The luck of the two correlates at {final.alike:+.2f}.")
    lines.append("Select:")
    lines += [f"  {i}: {file}" for i, file in zip(final.chosen.ids, files, strict=True)]
    return lines


def final_table(
    final: Final,
    submissions: Sequence[Submission],
    validation: Mapping[str, float],
    metric: Metric,
) -> pd.DataFrame:
    """A row per submission that competes, with the arguments of `final_page`."""
    unit = metric.sign * metric.points
    rows = [
        {
            "submission": s.id,
            "of": s.trial,
            "validation": unit * validation[s.trial],
            "public": s.public,
            "private_expected": unit * final.private[s.id].value,
            "private_low": unit * final.private[s.id].low,
            "private_high": unit * final.private[s.id].high,
            "best_of_all": final.chance[s.id],
            "selected": s.id in final.chosen.ids,
        }
        for s in submissions
    ]
    return pd.DataFrame(rows)


def _standings(
    final: Final,
    submissions: Sequence[Submission],
    validation: Mapping[str, float],
    metric: Metric,
) -> list[str]:
    """Submissions by what is expected of them."""
    unit = metric.sign * metric.points
    order = sorted(submissions, key=lambda s: -final.private[s.id].value)
    rows = [["submission", "of", "validation", "public", "private, expected", "best of all"]]
    rows += [
        [
            s.id,
            s.trial,
            f"{unit * validation[s.trial]:.4f}",
            f"{s.public:.4f}",
            _shown(final.private[s.id], unit),
            f"{final.chance[s.id]:.0%}",
        ]
        for s in order[:LISTED]
    ]
    more = len(order) - LISTED
    return table(rows) + ([f"… and {more} more, in final.csv"] if more > 0 else [])


def _selections(final: Final, metric: Metric) -> list[str]:
    """The one that is proposed, and what it is better than."""
    unit = metric.sign * metric.points
    rows = [["selection", "submissions", "the better of them, expected", ""]]
    for name, selection in {OURS: final.chosen, **final.naive}.items():
        behind = final.chosen.best.value - selection.best.value
        rows.append(
            [
                name,
                " and ".join(selection.ids),
                _shown(selection.best, unit),
                f"{-behind:+.2f} points" if behind else "",
            ]
        )
    return table(rows)


def _shown(points: Interval, unit: float) -> str:
    """An interval as scores of the metric, the smaller end first."""
    low, high = sorted((unit * points.low, unit * points.high))
    return f"{unit * points.value:.4f} ({low:.4f} to {high:.4f})"
