"""Trust in words: a page for the terminal and a table for a team's sheet."""

from __future__ import annotations

import math

import pandas as pd

from results.correlation import Interval
from results.evidence import CONVINCING
from results.leaderboard import Leaderboard
from results.metrics import Metric
from results.report import table
from results.trust import FEWEST, REGRET_LIMIT, TRUSTED_CHANCE, Trust


def trust_page(trust: Trust, competition: str, metric: Metric, holdout: int) -> list[str]:
    """The page, line by line; fits a screen."""
    scored_band = sum(i in trust.public for i in trust.band)
    rows = [["", "value", "95 % interval", "n", ""]]
    rows.append(["Kendall tau", *_shown(trust.tau), str(len(trust.scored)), "all scored"])
    rows.append(["  in the band", *_shown(trust.band_tau), str(scored_band), _ceiling(trust)])
    for name, value in {"Spearman": trust.spearman, "Pearson": trust.pearson}.items():
        rows.append([name, _number(value), "", str(len(trust.scored)), ""])
    slope = f"{_number(trust.slope)} public points per validation point"
    offset = f"public is {_number(trust.offset, '+.1f')} points from validation"
    regret = trust.regret
    lines = [
        f"{competition}: validation ({metric.name}, {holdout:,} images) and the public leaderboard",
        "",
        *table(rows),
        "",
        f"slope: {slope}; {offset}",
        f"evidence that validation follows the leaderboard: E = {trust.evidence:.3g} "
        f"(above {CONVINCING:g} chance is ruled out, however often you looked)",
        f"the band: {len(trust.band)} trials within max(3 paired standard errors, 3 points) of the "
        f"best, {scored_band} of them scored",
        f"promoting the validation-best of the band costs {regret.expected:.1f} points "
        f"({regret.low:.1f} to {regret.high:.1f}); more than {REGRET_LIMIT:g} with a chance of "
        f"{regret.chance:.0%}",
        "",
        verdict_words(trust),
    ]
    if trust.predicted is not None:
        sign = 1.0 if metric.direction == "maximize" else -1.0
        p = trust.predicted
        value, *ends = (sign * metric.points * x for x in (p.value, p.low, p.high))
        lines.append(
            f"Most worth submitting next: {trust.following}; expected public score {value:.3f} "
            f"({min(ends):.3f} to {max(ends):.3f})."
        )
    return lines


def verdict_words(trust: Trust) -> str:
    """The verdict as a sentence with its figures."""
    regret = trust.regret
    if trust.verdict == "trusted":
        return (
            f"Trusted: E is {trust.evidence:.3g} and the chance of losing more than "
            f"{REGRET_LIMIT:g} points by going with validation is {regret.chance:.0%}."
        )
    if trust.verdict == "indistinguishable":
        return (
            "Indistinguishable: the band's public scores differ no more than "
            f"±{trust.public_error:.1f} points of sampling noise explain "
            f"(p = {trust.homogeneity:.2f}); take the cheapest, or blend."
        )
    if trust.verdict == "not trusted":
        return (
            f"Not trusted: going with validation loses more than {REGRET_LIMIT:g} points with a "
            f"chance of {regret.chance:.0%}; the skills correlate at {regret.correlation:+.2f}."
        )
    scored = sum(i in trust.public for i in trust.band)
    if scored < FEWEST:
        return (
            f"Not enough evidence: a verdict needs {FEWEST} scored submissions in the band, and "
            f"there are {scored}."
        )
    return (
        f"Not enough evidence: E is {trust.evidence:.3g} of {CONVINCING:g} and the chance of "
        f"losing more than {REGRET_LIMIT:g} points {regret.chance:.0%} of at most "
        f"{TRUSTED_CHANCE:.0%}."
    )


def trust_table(trust: Trust, board: Leaderboard, metric: Metric) -> pd.DataFrame:
    """One row per trial: validation, public, private, what it is."""
    sign = 1.0 if metric.direction == "maximize" else -1.0
    rows = []
    for trial, value in sorted(trust.validation.items(), key=lambda item: -item[1]):
        submission = board.of_trial(trial)
        notes = ["band"] if trial in trust.band else []
        notes += ["next"] if trial == trust.following else []
        rows.append(
            {
                "trial": trial,
                "validation": sign * value * metric.points,
                "public": submission.public if submission else None,
                "private": submission.private if submission else None,
                "submission": submission.id if submission else "",
                "notes": " ".join(notes),
            }
        )
    return pd.DataFrame(rows)


def _ceiling(trust: Trust) -> str:
    return f"sampling noise alone would allow {trust.ceiling:.2f}"


def _shown(interval: Interval) -> tuple[str, str]:
    return _number(interval.value), f"{interval.low:.2f} to {interval.high:.2f}"


def _number(value: float, form: str = ".2f") -> str:
    return "–" if math.isnan(value) else format(value, form)
