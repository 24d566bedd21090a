"""Copies of what concerns a whole competition into MLflow; nothing waits for it or fails by it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from results.leaderboard.leaderboard import Leaderboard
from results.records.secrets import in_a_line
from results.tracking.uri import default_uri
from results.trust.trust import Trust
from search.competition.standing import Standing


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

        validation = {c.id: c.score for c in standing.pool if c.trial is None}
        log_scores(
            client, standing.folder.name, standing.leaderboard, standing.metric.name, validation
        )

    return track(runs, tracking, copy)


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
