"""Scores: typed in, read from the site's table, or computed from a solution."""

from __future__ import annotations

import json
import math
from pathlib import Path

from results.leaderboard.entries import Submission
from results.leaderboard.leaderboard import Leaderboard
from results.leaderboard.quota import Quota
from results.leaderboard.site_table import match, read_site_table
from results.metrics import Metric
from search.competition.standing import Standing, open_standing
from search.competition.tracking import track_scores
from search.options.analysis import ScoreConfig
from search.options.exit_codes import OK
from spaces.errors import InputError

SHARE_TOLERANCE = 0.01
"""Difference of shares that rounding explains."""

SHOWN = 5
"""Most rows without a match that are named."""


def score(config: ScoreConfig) -> int:
    """Records scores; returns the exit code."""
    ways = {
        "public= or private=": config.public is not None or config.private is not None,
        "solution=": bool(config.solution),
        "import=": bool(config.import_),
    }
    if sum(ways.values()) > 1:
        raise InputError(f"{' and '.join(k for k, v in ways.items() if v)}: one of them at a time")
    standing = open_standing(config)
    leaderboard = standing.leaderboard
    quota = None
    if config.quota:
        quota = Quota.parse(
            config.quota, reset=config.reset, ends=config.ends, reserve=config.reserve
        )
    scored: list[Submission] = []
    if any(ways.values()) or config.submission or quota is None:
        if not leaderboard.submissions:
            raise InputError("there is no submission yet: python -m search.submit")
        if config.import_:
            scored = _by_table(config, standing)
        elif config.solution:
            scored = _by_solution(config, standing)
        else:
            scored = [_by_hand(config, standing)]
    if quota is not None:
        leaderboard.set_quota(quota)
    for submission in scored:
        print(_line(submission, standing))
    if scored:
        problem = track_scores(standing, config.tracking, Path(config.runs))
        if problem:
            print(f"warning: MLflow does not have the scores ({problem}); search.sync copies them")
    left = leaderboard.allowance()
    if left is not None:
        print(left.words)
    print("Next:\n  python -m search.trust" if scored else "Next:\n  python -m search.submit")
    if config.json:
        files = [str(standing.submission_file(s).resolve()) for s in scored]
        print(json.dumps([{"id": s.id, "path": f} for s, f in zip(scored, files, strict=True)]))
    return OK


def _line(submission: Submission, standing: Standing) -> str:
    words = (
        f"{submission.id}: public {_shown(submission.public)}, private "
        f"{_shown(submission.private)}; {submission.trial}"
    )
    candidate = standing.candidate(submission.trial)
    if candidate is None:
        return f"{words} has no comparable score on the hold-out"
    return f"{words} has {candidate.score:.4f} on the hold-out"


def _by_hand(config: ScoreConfig, standing: Standing) -> Submission:
    leaderboard = standing.leaderboard
    if not config.submission:
        names = ", ".join(leaderboard.submissions)
        raise InputError(f"say which submission with submission=; choices: {names}")
    submission = leaderboard[config.submission]
    if config.public is None and config.private is None:
        raise InputError("give public= or private=, or solution= to score locally")
    for key, value in {"public": config.public, "private": config.private}.items():
        if value is not None:
            _check_value(standing.metric, f"{key}={value}", value)
    leaderboard.add_score(
        submission.id,
        public=config.public,
        private=config.private,
        images=_public_images(config, standing),
    )
    return leaderboard[submission.id]


def _by_table(config: ScoreConfig, standing: Standing) -> list[Submission]:
    leaderboard, path = standing.leaderboard, Path(config.import_)
    rows = read_site_table(path)
    for row in rows:
        for key, value in {"public": row.public, "private": row.private}.items():
            if value is not None:
                _check_value(standing.metric, f"{path}, row {row.row}: {key} score {value}", value)
    matched = match(rows, list(leaderboard.submissions.values()), path)
    done = []
    for submission, row in sorted(matched.pairs, key=lambda pair: pair[1].at or 0.0):
        if _adds(leaderboard, submission, row.public, row.private):
            leaderboard.add_score(
                submission.id,
                public=row.public,
                private=row.private,
                images=_public_images(config, standing),
                handed_in=row.at,
            )
            done.append(leaderboard[submission.id])
    same = len(matched.pairs) - len(done)
    print(f"{len(rows)} rows: {len(done)} recorded, {same} known already, {len(matched.rows)} odd")
    for odd in matched.rows[:SHOWN]:
        print(f"  row {odd.row}: {odd.file!r} is not the file of a submission")
    if len(matched.rows) > SHOWN:
        print(f"  … and {len(matched.rows) - SHOWN} more")
    if matched.submissions:
        print(f"  not in the table: {', '.join(matched.submissions)}")
    return done


def _adds(
    leaderboard: Leaderboard, submission: Submission, public: float | None, private: float | None
) -> bool:
    known = leaderboard[submission.id]
    return (public is not None and public != known.public) or (
        private is not None and private != known.private
    )


def _by_solution(config: ScoreConfig, standing: Standing) -> list[Submission]:
    leaderboard = standing.leaderboard
    chosen = (
        [leaderboard[config.submission]]
        if config.submission
        else list(leaderboard.submissions.values())
    )
    scores = []
    for submission in chosen:
        task, submitted = standing.task, standing.submitted(submission)
        images, labels, judged = task.solved(Path(config.solution), submitted, standing.known)
        tests = len(submitted.images)
        _check_share(config, len(images), tests)
        score = standing.metric.score(labels, judged)
        if not math.isfinite(score):
            raise InputError(
                f"{config.solution}: {standing.metric.name} is not defined on its "
                f"{len(images):,} images for {submission.id}"
            )
        scores.append(score)
    for submission, score in zip(chosen, scores, strict=True):
        if submission.public != score:
            leaderboard.add_score(
                submission.id, public=score, private=None, images=len(images), origin="solution"
            )
    print(f"scored on {len(images):,} of {tests:,} test images")
    return [leaderboard[s.id] for s in chosen]


def _check_share(config: ScoreConfig, solved: int, tests: int) -> None:
    """Raises InputError for a solution that misses rows, unless it is said to be of a part."""
    if abs(solved / tests - config.share) > SHARE_TOLERANCE:
        raise InputError(
            f"{config.solution} has {solved:,} of {tests:,} test images; if it is meant to cover a "
            f"part of them, say share={solved / tests:.2f}"
        )


def _public_images(config: ScoreConfig, standing: Standing) -> int:
    return round(standing.search.opened.images.test * config.share)


def _check_value(metric: Metric, what: str, value: float) -> None:
    low, high = metric.range
    if not math.isfinite(value) or not low <= value <= high:
        bounds = f"between {low:g} and {high:g}" if math.isfinite(high) else f"from {low:g} on"
        if not math.isfinite(low):
            bounds = "among the finite numbers"
        raise InputError(f"{what}: {metric.name} lies {bounds}")


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
