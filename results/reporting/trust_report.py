"""Trust in words: a page for the terminal and a table for a team's sheet."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping

import pandas as pd

from results.leaderboard.leaderboard import Leaderboard
from results.leaderboard.quota import Allowance
from results.metrics import Metric
from results.reporting.text import table
from results.stats.interval import Interval
from results.trust.evidence import CONVINCING
from results.trust.image_weights import ImageWeights
from results.trust.tournament import Contender
from results.trust.trust import REGRET_LIMIT, Trust
from results.trust.verdict import FEWEST, TRUSTED_CHANCE

NOTICED = 2.0
"""Points between validation and leaderboard from which the level is worth a warning."""

WATCHED = "of those that have it"
"""What is said of scores that not all trials have, which are never in force."""

UNLABELLED = "on unlabelled test images"
"""What is said of those that need no labels."""

WIDTH = 100
"""Columns of the page."""


def trust_page(
    trust: Trust,
    competition: str,
    metric: Metric,
    holdout: int,
    absent: Mapping[str, str] | None = None,
    weighting: ImageWeights | None = None,
) -> list[str]:
    """The page, line by line; fits a screen.

    Args:
        trust: The figures.
        competition: Its name.
        metric: The contest's metric.
        holdout: Images of the hold-out.
        absent: Why validation scores do not compete, by name.
        weighting: How much each hold-out image counts towards the test.
    """
    inside = sum(i in trust.public for i in trust.band)
    rows = [["scored by", f"tau, all {len(trust.scored)}", f"tau, {inside} in band", "", "E"]]
    rows[0][3] = "gain on plain"
    for c in (*trust.contenders, *trust.watched):
        gain = _shown(c.advantage, "+.2f") if c.advantage else ""
        rows.append([c.name, _shown(c.tau), _shown(c.band_tau), gain, _remark(trust, c)])
    regret, line = trust.regret, trust.line
    lines = [
        f"{competition}: validation ({metric.name}, {holdout:,} images) and the public leaderboard",
        *_level(trust),
        "",
        *table(rows),
        *_all_the_same(trust),
    ]
    lines += [f"without {name}: {reason}" for name, reason in (absent or {}).items()]
    if weighting is not None and not weighting.refusal:
        lines.append(
            f"a classifier tells test from hold-out images with AUC {weighting.auc:.2f}; weights "
            f"leave {weighting.effective:.0f} of {holdout:,} images"
        )
    lines += [
        f"Spearman {_number(line.spearman)}, Pearson {_number(line.pearson)}, slope "
        f"{_number(line.slope)}, public minus validation {_number(line.offset, '+.1f')} points",
        f"evidence that validation follows the leaderboard: E = {trust.evidence:.3g} over "
        f"{trust.counted} scores ({CONVINCING:g} rules out chance)",
        f"the band: {len(trust.band)} trials compete with the best, {inside} are scored; sampling "
        f"noise alone allows a tau of {trust.ceiling:.2f}",
        f"promoting the validation-best costs about {regret.expected:.1f} points "
        f"({regret.low:.1f} to {regret.high:.1f}); chance of more than {REGRET_LIMIT:g}: "
        f"{regret.chance:.0%}",
        "",
        verdict_words(trust),
        *([trust.ranked_by.words] if trust.ranked_by is not None else []),
        *_leaders(trust),
    ]
    if trust.used_often:
        lines.append(
            f"Warning: {len(trust.scored)} public scores were used to choose; the best one is "
            f"probably about {trust.flattery:.1f} points too good."
        )
    if trust.predicted is not None:
        sign = metric.sign
        p = trust.predicted
        value, *ends = (sign * metric.points * x for x in (p.value, p.low, p.high))
        lines.append(
            f"Most worth submitting next: {trust.following}; expected public score {value:.3f} "
            f"({min(ends):.3f} to {max(ends):.3f})."
        )
    head = 2 + len(_level(trust)) + len(table(rows))
    return lines[:head] + [w for words in lines[head:] for w in _wrapped(words)]


def _remark(trust: Trust, contender: Contender) -> str:
    """E of a score, and what it is beside one on the whole hold-out."""
    words = [f"{contender.evidence:.3g}"]
    words += [UNLABELLED] if contender.name in trust.unlabelled else []
    words += [WATCHED] if contender in trust.watched else []
    if contender.name == trust.chosen and len(trust.contenders) > 1:
        words.append("<- in force")
    return "  ".join(words)


def _all_the_same(trust: Trust) -> list[str]:
    """Which scores have no ranks, so that there is no tau."""
    lines = []
    inside = [i for i in trust.scored if i in trust.band]
    for name, scores in {"public": trust.public, **trust.scores}.items():
        for where, some in (("", trust.scored), (" in the band", inside)):
            if len(some) > 1 and len({scores[i] for i in some}) == 1:
                lines.append(f"all {name} scores{where} are the same and rank nothing: no tau")
                break
    return lines


def _level(trust: Trust) -> list[str]:
    """What is wrong with the level of validation, whatever its order; comes first."""
    offset = trust.line.offset
    if math.isnan(offset) or abs(offset) < NOTICED:
        return []
    how = "worse" if offset < 0 else "better"
    words = f"Public scores are {abs(offset):.1f} points {how} than validation."
    if offset < 0:
        words += (
            " Do not rely on the level of validation: test images differ from the hold-out, or "
            "similar images are on both sides of the split (data.group= keeps groups together)."
        )
    return _wrapped(words)


def _leaders(trust: Trust) -> list[str]:
    """What is best by scores never in force that surely rank more like the leaderboard."""
    return [
        f"The {name} score ranks trials more like the leaderboard than the plain one does. Best "
        f"of the band by it: {', '.join(best)} (search.promote and search.submit take select=)."
        for name, best in trust.leaders.items()
        if best
    ]


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, WIDTH, subsequent_indent="  ") or [""]


def verdict_words(trust: Trust) -> str:
    """The verdict as a sentence with its figures."""
    regret = trust.regret
    if trust.verdict == "trusted":
        return (
            f"Trusted: E is {trust.evidence:.3g}, and the chance that going with validation loses "
            f"more than {REGRET_LIMIT:g} points is {regret.chance:.0%}."
        )
    if trust.verdict == "indistinguishable":
        return (
            "Indistinguishable: the public scores cannot tell the band apart. Their differences "
            f"are within sampling noise of ±{trust.public_error:.1f} points "
            f"(p = {trust.homogeneity:.2f}); go on with the validation-best, or blend."
        )
    if trust.verdict == "not trusted":
        return (
            f"Not trusted: the chance that going with validation loses more than "
            f"{REGRET_LIMIT:g} points is {regret.chance:.0%}; skills on validation and on the "
            f"leaderboard correlate at {regret.correlation:+.2f}. Both scores together rank "
            f"{trust.posterior_best} first."
        )
    scored = sum(i in trust.public for i in trust.band)
    if scored < FEWEST:
        return (
            f"Not enough evidence: a verdict needs {FEWEST} scored submissions in the band; there "
            f"{'is' if scored == 1 else 'are'} {scored}."
        )
    return (
        f"Not enough evidence: E is {trust.evidence:.3g} ({CONVINCING:g} needed), and the chance "
        f"that going with validation loses more than {REGRET_LIMIT:g} points is "
        f"{regret.chance:.0%} (at most {TRUSTED_CHANCE:.0%} allowed)."
    )


def settle_words(trust: Trust, left: Allowance | None) -> str:
    """What it takes at least to settle the verdict, within the quota; empty if it is settled."""
    if trust.verdict != "not enough evidence":
        return ""
    if trust.to_settle is None:
        if not trust.following:
            return (
                "All trials of the band are scored; a verdict needs more trials, or more test "
                "images."
            )
        return "The present trials would probably not settle it: train more that compete."
    more = "submission" if trust.to_settle == 1 else "submissions"
    words = f"It takes at least {trust.to_settle} more {more} from the band to settle it"
    if left is not None:
        days = left.days_for(trust.to_settle)
        if left.quota.daily:
            words += f" ({days} day{'s' if days > 1 else ''} of the quota)"
        elif trust.to_settle > left.now:
            words += f" (the quota leaves {left.now})"
    return f"{words}."


def trust_table(
    trust: Trust, leaderboard: Leaderboard, metric: Metric, plain: Mapping[str, float]
) -> pd.DataFrame:
    """One row per trial of the band or with a score: validation, public, private, what it is.

    Other scores on the hold-out are known of scored trials; those on unlabelled test images are
    shares of these images.

    Args:
        trust: The figures.
        leaderboard: Submissions and their scores.
        metric: The contest's metric.
        plain: Plain validation scores by trial.
    """
    sign = metric.sign
    rows = []
    for trial, value in sorted(trust.validation.items(), key=lambda item: -item[1]):
        submission = leaderboard.of_trial(trial)
        notes = ["band"] if trial in trust.band else []
        notes += ["next"] if trial == trust.following else []
        if submission is not None and submission.source == "import":
            notes.append(f"made elsewhere by {submission.by}")
        row: dict[str, object] = {"trial": trial, "validation": plain[trial]}
        for name, scores in trust.scores.items():
            known = value if name == trust.chosen else scores.get(trial)
            if name != "plain":
                row[name] = None if known is None else sign * known * metric.points
        row |= {name: score.values.get(trial) for name, score in trust.unlabelled.items()}
        row |= {
            "public": submission.public if submission else None,
            "private": submission.private if submission else None,
            "submission": submission.id if submission else "",
            "notes": " ".join(notes),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _shown(interval: Interval, form: str = ".2f") -> str:
    if math.isnan(interval.value):
        return "–"
    return f"{interval.value:{form}} ({interval.low:{form}} to {interval.high:{form}})"


def _number(value: float, form: str = ".2f") -> str:
    return "–" if math.isnan(value) else format(value, form)
