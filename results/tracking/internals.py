"""What is used of MLflow that it does not promise to keep; see tests/test_internals.py."""

from __future__ import annotations

from pathlib import Path

from mlflow.store.tracking import DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore


def make_tables(database: Path) -> None:
    """Makes MLflow's tables in a new sqlite file and lets go of it.

    The public way, a client's first call, keeps the file open for as long as the process lives, so
    that it could not be moved to its place.
    """
    store = SqlAlchemyStore(f"sqlite:///{database}", DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH)  # type: ignore[no-untyped-call]
    store.engine.dispose()
