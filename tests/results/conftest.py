"""Shared fixtures: a tracking database of a test's own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """Of a tracking database that is yet to be made."""
    return f"sqlite:///{tmp_path}/mlflow.db"
