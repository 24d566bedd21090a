"""Shared fixtures: a tracking database that is made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from results.tracking import open_client


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new tracking database, made once: it takes two seconds."""
    path = tmp_path_factory.mktemp("tracking") / "mlflow.db"
    open_client(f"sqlite:///{path}")
    return path


@pytest.fixture
def uri(empty_database: Path, tmp_path: Path) -> str:
    """Of a tracking database with nothing in it."""
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path}/mlflow.db"
