"""Copies of what concerns a whole competition into MLflow; nothing waits for it or fails by it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from results.leaderboard.leaderboard import Leaderboard
from results.records.secrets import in_a_line
from results.tracking.uri import default_uri
from results.trust.trust import Trust
from search.competition.standing import Standing, open_standing
from search.options.analysis import CompetitionConfig
from spaces.errors import InputError


def track(runs: Path, tracking: str, copy: Callable[[Any], None]) -> str:
    """Copies something into MLflow; returns what went wrong, or nothing."""
    from results.tracking.store import TRACKING_ERRORS, open_client

    uri = tracking or default_uri(runs)
    try:
        copy(open_client(uri))
    except TRACKING_ERRORS as error:
        return in_a_line(error, uri)
    return ""


def reach(tracking: str, runs: Path) -> str:
    """Why the tracking store does not answer now; empty if it does, or will be made."""
    if not tracking:
        default_uri(runs)  # refused if no URI can name it
        return ""
    if tracking.startswith("sqlite:///"):
        folder = Path(tracking.removeprefix("sqlite:///")).parent
        return "" if folder.is_dir() else f"there is no folder {folder}"
    return track(runs, tracking, lambda client: client.search_experiments(max_results=1))


def track_scores(standing: Standing, tracking: str, runs: Path) -> str:
    """Copies scores into MLflow; returns what went wrong, or nothing."""

    def copy(client: Any) -> None:
        from results.tracking.competition import log_scores

        metric, imported = standing.metric.name, _imported(standing)
        log_scores(client, standing.folder.name, standing.leaderboard, metric, imported)

    return track(runs, tracking, copy)


def track_record(folder: Path, tracking: str, runs: Path) -> str:
    """Copies a competition's notes, scores and blends into MLflow; returns what went wrong, or
    nothing."""
    leaderboard = Leaderboard.read(folder)
    metric, imported = "", dict[str, float]()
    if any(submission.holdout for submission in leaderboard.submissions.values()):
        with contextlib.suppress(InputError):  # no search is left, or its metric is a team's own
            standing = open_standing(CompetitionConfig(runs=str(runs), competition=folder.name))
            metric, imported = standing.metric.name, _imported(standing)

    def copy(client: Any) -> None:
        from results.tracking.competition import log_blend, log_notes, log_scores

        log_notes(client, folder.name, leaderboard)
        log_scores(client, folder.name, leaderboard, metric, imported)
        for blend in leaderboard.blends.values():
            log_blend(client, folder.name, blend, folder / "blends" / blend.id)

    return track(runs, tracking, copy)


def _imported(standing: Standing) -> dict[str, float]:
    """Validation scores of models made elsewhere, by their names."""
    return {c.id: c.score for c in standing.pool if c.trial is None}


def track_trust(standing: Standing, trust: Trust, tracking: str, runs: Path) -> str:
    """Copies the verdict into MLflow; returns what went wrong, or nothing."""

    def copy(client: Any) -> None:
        from results.tracking.competition import log_trust

        log_trust(client, standing.folder, trust)

    return track(runs, tracking, copy)


def track_blend(standing: Standing, name: str, folder: Path, tracking: str, runs: Path) -> str:
    """Copies a blend into MLflow; returns what went wrong, or nothing."""

    def copy(client: Any) -> None:
        from results.tracking.competition import log_blend

        log_blend(client, standing.folder.name, standing.leaderboard.blends[name], folder)

    return track(runs, tracking, copy)


def track_suspects(competition: str, folder: Path, share: float, tracking: str, runs: Path) -> str:
    """Copies the page of suspicious labels into MLflow; returns what went wrong, or nothing."""

    def copy(client: Any) -> None:
        from results.tracking.competition import log_suspects

        log_suspects(client, competition, folder, share)

    return track(runs, tracking, copy)


def track_notes(competition: str, leaderboard: Leaderboard, tracking: str, runs: Path) -> str:
    """Copies notes into MLflow; returns what went wrong, or nothing."""

    def copy(client: Any) -> None:
        from results.tracking.competition import log_notes

        log_notes(client, competition, leaderboard)

    return track(runs, tracking, copy)
