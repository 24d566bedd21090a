"""python -m search.score — record what the leaderboard said.

A later score corrects an earlier one; both stay on record.

  python -m search.score submission=s001 public=0.83
  python -m search.score submission=s001 private=0.79
  python -m search.score solution=solution.csv       score all submissions against known labels
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from results.leaderboard import Leaderboard, Submission
from results.metrics import Metric
from results.submission import read_solution, read_submission
from search.board import contest_metric, track_scores
from search.cli import OK, main
from search.config import ScoreConfig
from search.select import Candidate, candidates, competition_folder
from spaces.errors import InputError


def run(config: ScoreConfig) -> int:
    """Records scores; returns the exit code."""
    folder = competition_folder(Path(config.runs), config.competition)
    board = Leaderboard.read(folder)
    pool = {c.id: c for c in candidates(folder)}
    if not board.submissions:
        raise InputError("there is no submission yet: python -m search.submit")
    if config.solution:
        scored = _by_solution(config, board, pool)
    else:
        scored = [_by_hand(config, board, pool)]
    for submission in scored:
        found = pool[submission.trial]
        value = found.trial.score(found.search.metric)
        print(
            f"{submission.id}: public {_shown(submission.public)}, private "
            f"{_shown(submission.private)}; {submission.trial} has {value:.4f} on the hold-out"
        )
    problem = track_scores(folder, board, config.tracking, Path(config.runs))
    if problem:
        print(f"warning: MLflow does not have the scores yet ({problem}); nothing is lost")
    print("Next:\n  python -m search.trust")
    if config.json:
        print(json.dumps([{"id": s.id, "path": s.file} for s in scored]))
    return OK


def _by_hand(config: ScoreConfig, board: Leaderboard, pool: dict[str, Candidate]) -> Submission:
    if not config.submission:
        names = ", ".join(board.submissions)
        raise InputError(f"say which submission with submission=; choices: {names}")
    submission = board[config.submission]
    if config.public is None and config.private is None:
        raise InputError("give public= or private=, or solution= to score locally")
    candidate = _candidate(pool, submission)
    metric = contest_metric(candidate.search)
    for key, value in {"public": config.public, "private": config.private}.items():
        if value is not None:
            _check_value(metric, key, value)
    tests = int(candidate.search.opened["images"]["test"])
    board.add_score(
        submission.id,
        public=config.public,
        private=config.private,
        images=round(tests * config.share),
    )
    return board[submission.id]


def _by_solution(
    config: ScoreConfig, board: Leaderboard, pool: dict[str, Candidate]
) -> list[Submission]:
    if config.public is not None or config.private is not None:
        raise InputError("solution= computes the score: leave public= and private= out")
    chosen = [board[config.submission]] if config.submission else list(board.submissions.values())
    done = []
    for submission in chosen:
        candidate = _candidate(pool, submission)
        opened = candidate.search.opened
        submitted = read_submission(Path(submission.file), tuple(opened["classes"]))
        path = Path(config.solution)
        images, labels = read_solution(path, submitted.images, submitted.classes)
        rows = {image: i for i, image in enumerate(submitted.images)}
        probabilities = submitted.probabilities[[rows[i] for i in images]]
        score = contest_metric(candidate.search).score(labels, probabilities)
        if submission.public != score:
            board.add_score(submission.id, public=score, private=None, images=len(images))
        done.append(board[submission.id])
    if done:
        print(f"scored on {len(images):,} of {len(rows):,} test images")
    return done


def _candidate(pool: dict[str, Candidate], submission: Submission) -> Candidate:
    if submission.trial not in pool:
        raise InputError(
            f"{submission.id}: its trial {submission.trial} is not comparable any more"
        )
    return pool[submission.trial]


def _check_value(metric: Metric, key: str, value: float) -> None:
    bounded = metric.name in ("macro_f1", "accuracy", "balanced_accuracy", "roc_auc")
    if not math.isfinite(value) or (bounded and not 0 <= value <= 1):
        raise InputError(f"{key}={value}: {metric.name} lies between 0 and 1")


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


if __name__ == "__main__":
    main(ScoreConfig, run, __doc__ or "")
