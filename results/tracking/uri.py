"""Where runs are tracked unless somebody says otherwise; imports nothing of MLflow."""

from __future__ import annotations

from pathlib import Path


def default_uri(runs: Path) -> str:
    """The sqlite database beside the runs folder."""
    return f"sqlite:///{runs.resolve().parent / 'mlflow.db'}"
