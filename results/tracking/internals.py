"""What is used of MLflow that it does not promise to keep; see tests/test_internals.py."""

from __future__ import annotations

from pathlib import Path

from mlflow.entities import RunInfo
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.tracking import DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils.uri import add_databricks_profile_info_to_artifact_uri


def make_tables(database: Path) -> None:
    """Makes MLflow's tables in a new sqlite file and lets go of it.

    The public way, a client's first call, keeps the file open for as long as the process lives, so
    that it could not be moved to its place.
    """
    store = SqlAlchemyStore(f"sqlite:///{database}", DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH)  # type: ignore[no-untyped-call]
    store.engine.dispose()


def artifacts_of(run: RunInfo, uri: str) -> ArtifactRepository:
    """Where a run's files go.

    The public way asks the store where that is, for every run, though whoever made or found the run
    was told.

    Args:
        run: The run.
        uri: Tracking URI.
    """
    place = add_databricks_profile_info_to_artifact_uri(run.artifact_uri, uri)  # type: ignore[no-untyped-call]
    return get_artifact_repository(place, tracking_uri=uri)
