"""Which submissions to select for the private leaderboard, as a page and a table."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

from results.leaderboard.entries import Submission
from results.metrics import Metric
from results.reporting.text import table
from results.stats.bootstrap import bootstrap_weights
from results.trust.final_selection import Final, Finalist, in_play, select_final
from results.trust.trust import Trust
from results.trust.validation import PLAIN
from search.competition.assessment import assess_as_asked
from search.competition.standing import Standing, band_rule, open_standing
from search.options.analysis import FinalConfig
from search.options.exit_codes import OK
from search.promotion.ensemble_members import promotions
from spaces.errors import InputError
from spaces.files import whole_file

STEP = 1.0
"""Points by which a mean of models may differ from its own out-of-fold score: standard error."""


@dataclass(frozen=True, kw_only=True)
class _Validated:
    """A submission's validation score in points and how many images it stands on."""

    points: float
    images: int
    merged: bool


def select_submissions(config: FinalConfig) -> int:
    """Prints the selection, writes the table; returns the exit code."""
    standing = open_standing(config, rule=band_rule(config.band))
    leaderboard, metric = standing.leaderboard, standing.metric
    if len(leaderboard.scored()) < config.select:
        raise InputError(
            f"select={config.select}: {len(leaderboard.scored())} submissions have a public score; "
            "score more with python -m search.score"
        )
    offered, trust = assess_as_asked(standing, config)
    validation = next((v for v in offered.validations if v.name == trust.chosen), PLAIN)
    known = _validation_scores(standing, trust)
    scored = [s for s in leaderboard.scored() if s.trial in known]
    if len(scored) < config.select:
        raise InputError(
            f"select={config.select}: {len(scored)} scored submissions have a validation score"
        )
    unit = metric.sign / metric.points
    public = [unit * (s.public or 0.0) for s in scored]
    kept = in_play([known[s.trial].points for s in scored], public, standing.rule)
    near = [s for s, keep in zip(scored, kept, strict=True) if keep]
    finalists = near if len(near) >= config.select else scored
    n = len(standing.labelled.labels)
    rows = [_finalist(standing, s, known[s.trial], trust.error, n) for s in finalists]
    same = _duplicates(rows)
    rows = [f for f in rows if f.id not in same]
    finalists = [s for s in finalists if s.id not in same]
    if len(rows) < config.select:
        raise InputError(f"select={config.select}: only {len(rows)} submissions differ")
    tests = len(standing.test_images)
    public_images = int(np.median([s.images or tests for s in finalists]))
    private_images = config.images or max(tests - public_images, 0)
    guessed = private_images == 0
    private_images = private_images or public_images
    factor = (public_images / private_images) ** 0.5
    total = _total_error(standing, trust, validation.of(metric))
    shared = max(0.0, total**2 - trust.error**2) ** 0.5 * trust.public_error / trust.error
    final = select_final(
        rows,
        count=config.select,
        public_error=trust.public_error,
        private_error=trust.public_error * factor,
        # Skills are centred on public scores, whose shared luck is in them.
        shared_error=shared * float(np.hypot(1, factor)),
    )
    if trust.ranked_by is not None:
        print(trust.ranked_by.words)
    print("\n".join(_page(standing, final, finalists, known, private_images, guessed)))
    for name, other in same.items():
        print(f"{name} predicts the same as {other} and is left out.")
    path = standing.folder / "final.csv"
    with whole_file(path) as temporary:
        _table(standing, final, finalists, known).to_csv(temporary, index=False)
    print(f"Table: {path}")
    if config.json:
        files = [standing.submission_file(leaderboard[i]) for i in final.chosen.ids]
        chosen = [str(file.resolve()) for file in files]
        print(json.dumps({"id": list(final.chosen.ids), "path": chosen}))
    return OK


def _validation_scores(standing: Standing, trust: Trust) -> dict[str, _Validated]:
    """Validation scores, in points, of trials, imports, promotions and blends, by name.

    Out-of-fold scores are of the plain metric: they are moved by what the chosen score on the
    hold-out makes of trials on average. One on unlabelled test images is on the plain one's scale.
    """
    metric, images = standing.metric, len(standing.labelled.labels)
    sign = metric.sign
    found, moved = {}, []
    for trial in trust.scored:
        points, candidate = trust.validation[trial], standing.candidate(trial)
        assert candidate is not None
        found[trial] = _Validated(points=points, images=images, merged=False)
        moved.append(sign * points * metric.points - candidate.score)
    shift = float(np.mean(moved)) if moved and trust.ranked_by is None else 0.0
    merged: dict[str, tuple[float, int]] = {}
    for name, search in promotions(standing).items():
        if search.arms:
            best = max(search.arms.values(), key=lambda arm: sign * arm.score)
            merged[name] = (best.score, best.images)
    images = sum(standing.search.opened.folds.sizes[1:])
    merged |= {b.id: (b.score, images) for b in standing.leaderboard.blends.values()}
    for name, (score, count) in merged.items():
        found[name] = _Validated(
            points=sign * (score + shift) / metric.points, images=count, merged=True
        )
    return found


def _finalist(
    standing: Standing, submission: Submission, known: _Validated, error: float, holdout: int
) -> Finalist:
    metric = standing.metric
    sign = metric.sign
    assert submission.public is not None
    own = error * (holdout / known.images) ** 0.5
    predictions = standing.submitted(submission)
    return Finalist(
        id=submission.id,
        validation=known.points,
        validation_error=float(np.hypot(own, STEP if known.merged else 0.0)),
        public=sign * submission.public / metric.points,
        labels=standing.task.probabilities(predictions.of(standing.test_images)).argmax(axis=1),
    )


def _duplicates(finalists: list[Finalist]) -> dict[str, str]:
    """Submissions with the very labels of an earlier one, which is no second chance."""
    first: dict[bytes, str] = {}
    found = {}
    for finalist in finalists:
        key = finalist.labels.tobytes()
        if key in first:
            found[finalist.id] = first[key]
        else:
            first[key] = finalist.id
    return found


def _total_error(standing: Standing, trust: Trust, metric: Metric) -> float:
    """Standard error in points of the best trial's score, shared part included."""
    labelled = standing.labelled
    best = next(c for c in standing.pool if c.id == trust.band[0])
    weights = bootstrap_weights(len(labelled.labels), 200, labelled.groups)
    p = labelled.judged(best.holdout).astype(np.float64)
    return float(np.nanstd(metric.weighted(labelled.labels, p, weights))) / standing.metric.points


def _page(
    standing: Standing,
    final: Final,
    finalists: list[Submission],
    known: dict[str, _Validated],
    private_images: int,
    guessed: bool,
) -> list[str]:
    metric = standing.metric
    unit = metric.sign * metric.points

    def shown(value: float, low: float, high: float) -> str:
        ends = sorted((unit * low, unit * high))
        return f"{unit * value:.4f} ({ends[0]:.4f} to {ends[1]:.4f})"

    where = (
        f"as many private test images as public ones are assumed, {private_images:,}; images= says"
        if guessed
        else f"{private_images:,} private test images"
    )
    lines = [
        f"{standing.folder.name}: {len(finalists)} submissions that compete; {where}",
        "",
    ]
    rows = [["submission", "of", "validation", "public", "private, expected", "best of all"]]
    leaderboard = standing.leaderboard
    order = sorted(finalists, key=lambda s: -final.private[s.id].value)
    for s in order[:12]:
        private = final.private[s.id]
        rows.append(
            [
                s.id,
                s.trial,
                f"{unit * known[s.trial].points:.4f}",
                f"{leaderboard[s.id].public:.4f}",
                shown(private.value, private.low, private.high),
                f"{final.chance[s.id]:.0%}",
            ]
        )
    lines += table(rows)
    if len(order) > 12:
        lines.append(f"… and {len(order) - 12} more, in final.csv")
    lines.append("")
    rows = [["selection", "submissions", "the better of them, expected", ""]]
    choices = {"this one": final.chosen, **final.naive}
    for name, selection in choices.items():
        best = selection.best
        against = (final.chosen.best.value - best.value) if name != "this one" else 0.0
        rows.append(
            [
                name,
                " and ".join(selection.ids),
                shown(best.value, best.low, best.high),
                f"{-against:+.2f} points" if against else "",
            ]
        )
    lines += table(rows)
    fall = final.fall
    lines += [
        "",
        f"The public leader's private score is expected {fall.value:+.1f} points from its public "
        f"one ({fall.low:+.1f} to {fall.high:+.1f}).",
    ]
    if np.isfinite(final.alike):
        lines.append(f"The luck of the two correlates at {final.alike:+.2f}.")
    files = [standing.submission_file(leaderboard[i]) for i in final.chosen.ids]
    lines += [
        "Select:",
        *(f"  {i}: {file}" for i, file in zip(final.chosen.ids, files, strict=True)),
    ]
    return lines


def _table(
    standing: Standing, final: Final, finalists: list[Submission], known: dict[str, _Validated]
) -> pd.DataFrame:
    metric = standing.metric
    unit = metric.sign * metric.points
    rows = [
        {
            "submission": s.id,
            "of": s.trial,
            "validation": unit * known[s.trial].points,
            "public": s.public,
            "private_expected": unit * final.private[s.id].value,
            "private_low": unit * final.private[s.id].low,
            "private_high": unit * final.private[s.id].high,
            "best_of_all": final.chance[s.id],
            "selected": s.id in final.chosen.ids,
        }
        for s in finalists
    ]
    return pd.DataFrame(rows)
