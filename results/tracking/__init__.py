"""MLflow as a projection of the records; the only place that knows MLflow."""

import os

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

from results.tracking.competition import (
    log_blend,
    log_notes,
    log_scores,
    log_suspects,
    log_trust,
)
from results.tracking.history import tracked_trials
from results.tracking.registry import register
from results.tracking.store import (
    ID_TAG,
    TRACKING_ERRORS,
    default_uri,
    open_client,
    page_links,
)
from results.tracking.tracker import Tracker

__all__ = [
    "ID_TAG",
    "TRACKING_ERRORS",
    "Tracker",
    "default_uri",
    "log_blend",
    "log_notes",
    "log_scores",
    "log_suspects",
    "log_trust",
    "open_client",
    "page_links",
    "register",
    "tracked_trials",
]
