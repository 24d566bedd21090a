"""What the leaderboard's commands have in common: metric, band, and MLflow's copy of the scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from results.leaderboard import Leaderboard
from results.metrics import METRICS, Metric
from results.trials import Search
from results.trust import Trust, Validated, competitive_band
from results.truth import Truth
from search.select import Candidate
from spaces.errors import InputError


def contest_metric(search: Search) -> Metric:
    """The metric of a search.

    Raises:
        InputError: If it is a team's own, which nothing read from a file may import.
    """
    if search.metric not in METRICS:
        raise InputError(
            f"{search.id} was scored with the team's own metric {search.metric!r}; leaderboard "
            f"commands know {', '.join(METRICS)}"
        )
    return METRICS[search.metric]


def truth_of(pool: Sequence[Candidate]) -> Truth:
    """Labels and groups of the hold-out that the candidates share."""
    return Truth.of_fold(pool[0].search.folds_file, 0)


def validated(pool: Sequence[Candidate], truth: Truth) -> list[Validated]:
    """The candidates with their hold-out predictions."""
    return [
        Validated(id=c.id, probabilities=truth.probabilities(c.folder / "holdout.npz"))
        for c in pool
    ]


def band_of(pool: Sequence[Candidate], metric: Metric) -> list[str]:
    """Ids of the competitive band, best first."""
    truth = truth_of(pool)
    band, _ = competitive_band(metric, truth.labels, validated(pool, truth), truth.groups)
    return [c.id for c in band]


def track_scores(folder: Path, board: Leaderboard, tracking: str, runs: Path) -> str:
    """Copies scores into MLflow; returns what went wrong, or nothing."""
    from results.tracking import TRACKING_ERRORS, default_uri, log_scores, open_client

    try:
        log_scores(open_client(tracking or default_uri(runs)), folder.name, board)
    except TRACKING_ERRORS as error:
        return str(error).splitlines()[0][:200]
    return ""


def track_trust(folder: Path, trust: Trust, tracking: str, runs: Path) -> str:
    """Copies the verdict into MLflow; returns what went wrong, or nothing."""
    from results.tracking import TRACKING_ERRORS, default_uri, log_trust, open_client

    try:
        log_trust(open_client(tracking or default_uri(runs)), folder, trust)
    except TRACKING_ERRORS as error:
        return str(error).splitlines()[0][:200]
    return ""
